"""Text and Markdown: UTF-8, GB18030, or UTF-16 with its mark."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tasks.encoding import decoded, gb18030
from tasks.produce.readers.found import Found, Unreadable

BLOCK = 2**18  # bytes that are looked at together
EXPECTED = "expected UTF-8, GB18030 or UTF-16"


def plain(file: Path, column: str) -> Iterator[Found]:
    yield Found(text=text_of(file))


def text_of(file: Path) -> str:
    """The text of a file. Raises Unreadable where its encoding is none of ours."""
    raw = file.read_bytes()
    marked = raw.startswith((BOM_UTF16_BE, BOM_UTF16_LE))
    text = raw.decode("utf-16") if marked else decoded(raw)
    if text is None or "\0" in text:
        raise Unreadable("encoding_unknown", EXPECTED)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def stream_of(file: Path) -> TextIO:
    """The same text, to be read line by line, each with one kind of line end. Raises Unreadable as `text_of` does."""
    with file.open("rb") as raw:
        marked = raw.read(2).startswith((BOM_UTF16_BE, BOM_UTF16_LE))
    if marked and holds(file, "utf-16"):
        return file.open(encoding="utf-16")
    if not marked and holds(file, "utf-8"):
        return file.open(encoding="utf-8-sig")
    if marked or gb18030(telling(file)) is None or not holds(file, "gb18030"):
        raise Unreadable("encoding_unknown", EXPECTED)
    return file.open(encoding="gb18030")


def holds(file: Path, encoding: str) -> bool:
    """Whether all of a file is text in this encoding."""
    decoder = getincrementaldecoder(encoding)()
    with file.open("rb") as raw:
        try:
            while block := raw.read(BLOCK):
                if "\0" in decoder.decode(block):
                    return False
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def telling(file: Path) -> bytes:
    """The first lines of a file that are not ASCII: they tell what its encoding looks like."""
    found, size = list[bytes](), 0
    with file.open("rb") as raw:
        for line in raw:
            if not line.isascii():
                found.append(line)
                size += len(line)
            if size > BLOCK:
                break
    return b"".join(found)
