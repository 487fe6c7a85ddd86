"""A table as Markdown: the first row that has cells is the header; empty rows and columns are left out."""

from __future__ import annotations

from collections.abc import Sequence


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A header, a rule, and a line for each row; empty where no cell says anything."""
    filled = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    wide = max(map(len, filled), default=0)
    square = [row + [""] * (wide - len(row)) for row in filled]
    used = [i for i in range(wide) if any(row[i] for row in square)]
    lines = ["| " + " | ".join(inline(row[i]) for i in used) + " |" for row in square]
    return "\n".join([*lines[:1], "|" + "---|" * len(used), *lines[1:]]) if lines else ""


def inline(cell: str) -> str:
    """A cell on one line, in which a bar ends nothing."""
    return " ".join(cell.split()).replace("|", "\\|")
