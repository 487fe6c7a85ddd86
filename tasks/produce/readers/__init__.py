"""Files as texts: a reader for each format, by the end of a file's name; a reason where there is no text."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import BadZipFile

from tasks.produce.readers.crawl import crawl
from tasks.produce.readers.found import Found, Unreadable
from tasks.produce.readers.pdf import pdf
from tasks.produce.readers.plain import plain
from tasks.produce.readers.rows import ENDINGS as ROWS
from tasks.produce.readers.rows import told
from tasks.produce.readers.sheets import sheets
from tasks.produce.readers.web import web
from tasks.produce.readers.word import word

Reader = Callable[[Path, str], Iterator[Found]]
READERS: dict[str, Reader] = {
    ".txt": plain,
    ".md": plain,
    ".markdown": plain,
    ".html": web,
    ".htm": web,
    ".pdf": pdf,
    ".docx": word,
    ".xlsx": sheets,
    **dict.fromkeys(ROWS, told),
    ".warc": crawl,
    ".warc.gz": crawl,
}
# What parsers stumble over in a damaged or hostile file, beside the errors of their own that each reader names.
STUMBLES = (ArithmeticError, AssertionError, AttributeError, BadZipFile, EOFError, LookupError, MemoryError)
STUMBLES += (NotImplementedError, OSError, RecursionError, SyntaxError, TypeError, ValueError, zlib.error)


def reader(file: Path) -> Reader | None:
    """The reader for a file; None where the format is not one of ours."""
    return next((read for ending, read in READERS.items() if file.name.lower().endswith(ending)), None)


def read(file: Path, column: str) -> Iterator[Found]:
    """The texts of a file, and a reason for each part of it, or the whole, that cannot be read.

    `column` holds the text where the file is a table of texts.
    """
    how, texts = reader(file), 0
    if how is None:
        yield Found(reason="unknown_format", detail=f"there are {', '.join(READERS)}")
        return
    try:
        for found in how(file, column):
            texts += bool(found.text.strip())
            if found.reason or found.text.strip():
                yield found
    except Unreadable as fault:
        yield Found(reason=fault.reason, detail=fault.detail)
    except STUMBLES as fault:
        yield Found(reason="broken", detail=f"{type(fault).__name__}: {' '.join(str(fault).split())[:200]}")
    else:
        if not texts:
            yield Found(reason="no_text")
