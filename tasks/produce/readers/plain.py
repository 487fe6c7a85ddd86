"""Text and Markdown: UTF-8, GB18030, or UTF-16 with its mark."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from pathlib import Path

from tasks.encoding import decoded
from tasks.produce.readers.found import Found, Unreadable


def plain(file: Path, column: str) -> Iterator[Found]:
    yield Found(text=text_of(file))


def text_of(file: Path) -> str:
    """The text of a file. Raises Unreadable where its encoding is none of ours."""
    raw = file.read_bytes()
    marked = raw.startswith((BOM_UTF16_BE, BOM_UTF16_LE))
    text = raw.decode("utf-16") if marked else decoded(raw)
    if text is None or "\0" in text:
        raise Unreadable("encoding_unknown", "expected UTF-8, GB18030 or UTF-16")
    return text.replace("\r\n", "\n").replace("\r", "\n")
