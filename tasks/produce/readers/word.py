"""Word documents: headings, paragraphs, lists and tables in their order (python-docx)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.produce.readers.found import Found, Unreadable
from tasks.produce.readers.tables import markdown

if TYPE_CHECKING:
    from docx.text.paragraph import Paragraph

LEVEL = re.compile(r"(?:heading|标题) ?(\d)", re.I)


def word(file: Path, column: str) -> Iterator[Found]:
    from docx import Document
    from docx.opc.exceptions import OpcError
    from docx.table import Table

    try:
        parts = Document(str(file)).iter_inner_content()
        texts = [
            markdown([[cell.text for cell in row.cells] for row in part.rows])
            if isinstance(part, Table)
            else paragraph(part)
            for part in parts
        ]
    except OpcError as fault:
        raise Unreadable("broken", str(fault)[:200]) from None
    yield Found(text="\n\n".join(filter(None, texts)))


def paragraph(part: Paragraph) -> str:
    """A paragraph as Markdown: its style says whether it is a heading or an item of a list."""
    text, style = part.text.strip(), (part.style.name if part.style else "") or ""
    if not text:
        return ""
    if level := LEVEL.match(style):
        return f"{'#' * min(6, int(level[1]) + 1)} {text}"
    if style.lower() in ("title", "标题"):
        return f"# {text}"
    return f"- {text}" if style.lower().startswith("list") else text
