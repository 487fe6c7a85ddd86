"""Text for a terminal: rows in columns, counts in a line, and nothing that a terminal would obey."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def grid(head: Sequence[str], rows: Iterable[Sequence[Any]], right: Iterable[int] = ()) -> str:
    """Rows under their heads in columns, those in `right` aligned there."""
    lines = [[*head], *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    ends = set(right)
    cells = [
        [c.rjust(w) if i in ends else c.ljust(w) for i, (c, w) in enumerate(zip(r, widths, strict=True))] for r in lines
    ]
    return "\n".join("  ".join(row).rstrip() for row in cells)


def counts(found: dict[str, int]) -> str:
    return ", ".join(f"{n} {name or 'none'}" for name, n in found.items())


def printable(text: str) -> str:
    """Text of a log or a model, for a terminal: control characters are shown, not obeyed."""
    return "".join(c if c in "\n\t" or c.isprintable() or c == "\u3000" else ascii(c)[1:-1] for c in text)
