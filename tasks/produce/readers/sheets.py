"""Excel workbooks: each sheet as a table under its name, with the values that formulas came to (openpyxl)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tasks.produce.readers.found import Found, Unreadable
from tasks.produce.readers.tables import markdown


def sheets(file: Path, column: str) -> Iterator[Found]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except InvalidFileException as fault:
        raise Unreadable("broken", str(fault)[:200]) from None
    try:
        for sheet in book.worksheets:
            rows = [[shown(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
            yield Found(sheet.title, titled(sheet.title, rows))
    finally:
        book.close()


def titled(title: str, rows: list[list[str]]) -> str:
    """A sheet under its name; one with a single column is no table but lines of text."""
    filled = [[cell for cell in row if cell] for row in rows]
    if not any(filled):
        return ""
    if all(len(row) <= 1 for row in filled):
        return f"## {title}\n\n" + "\n".join(row[0] for row in filled if row)
    return f"## {title}\n\n{markdown(rows)}"


def shown(cell: Any) -> str:
    """A cell as a reader of the sheet sees it, more or less: formats of numbers are not kept."""
    if cell is None:
        return ""
    if isinstance(cell, datetime) and (cell.hour, cell.minute, cell.second) == (0, 0, 0):
        return cell.date().isoformat()
    if isinstance(cell, datetime | date):
        return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
    if isinstance(cell, float):
        return f"{cell:.12g}"
    return str(cell).strip()
