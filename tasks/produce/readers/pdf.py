"""PDF: the text of its pages (pypdf), with lines joined to paragraphs and running heads left out.

A scan has no text: it is `no_text`, as nothing here reads pictures.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tasks.produce.readers.found import Found, Unreadable
from tasks.text import CJK, written

ENDED = re.compile(r"[。！？；：.!?;:…”」』]$")
LISTED = re.compile(
    r"\s*(?:[-•·*▪]|[（(]?[\d一二三四五六七八九十]{1,3}[)）.、．]|第[\d一二三四五六七八九十百]+[章节条])"
)
FULL = 0.75  # of the widest line: a line this wide was broken by the page's edge, not by its author


def pdf(file: Path, column: str) -> Iterator[Found]:
    from pypdf import PdfReader
    from pypdf.errors import FileNotDecryptedError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it warns of is in the text, or is a reason
    try:
        pages = [written(page.extract_text()) for page in PdfReader(file).pages]
    except FileNotDecryptedError:
        raise Unreadable("encrypted", "it opens with a password only") from None
    except PyPdfError as fault:
        raise Unreadable("broken", str(fault)[:200]) from None
    yield Found(text=flowed(body(pages)))


def body(pages: list[str]) -> list[str]:
    """The lines of all pages without those that stand at the top or the foot of most, whatever their number."""
    lines = [[line.rstrip() for line in page.split("\n") if line.strip()] for page in pages]
    edges = Counter(masked(line) for page in lines for line in {*page[:1], *page[-1:]})
    running = {line for line, pages_with in edges.items() if len(pages) > 1 and 2 * pages_with > len(pages)}
    return [
        line
        for page in lines
        for i, line in enumerate(page)
        if not (i in (0, len(page) - 1) and masked(line) in running)
    ]


def masked(line: str) -> str:
    return re.sub(r"\d+", "0", line.strip())


def flowed(lines: list[str]) -> str:
    """Lines as paragraphs, one a line: what the edge of the page broke is joined. A title stands apart."""
    widest = max(map(width, lines), default=0)
    text, before = "", ""
    for line in lines:
        new = not text or ENDED.search(before) or width(before) < FULL * widest or LISTED.match(line)
        gap = "\n\n" if text == lines[0].strip() and not ENDED.search(text) else "\n"
        text = f"{text}{gap}{line.strip()}".lstrip("\n") if new else joined(text, line.strip())
        before = line
    return text


def joined(text: str, line: str) -> str:
    """Two halves of a paragraph; Chinese needs no space, and a hyphen at the edge joins a word."""
    if text.endswith("-") and line[:1].islower():
        return text[:-1] + line
    tight = not text[-1:].isascii() or not line[:1].isascii() or CJK.search(text[-1:]) or CJK.search(line[:1])
    return text + line if tight else f"{text} {line}"


def width(line: str) -> int:
    """How wide a line is printed: a full-width character takes two places."""
    return sum(1 if c.isascii() else 2 for c in line.strip())
