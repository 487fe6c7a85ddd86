"""The cost table of a run (flows/costs.py) in words, for the terminal and the UI."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Row = dict[str, Any]
TOTAL = "total"
HEAD = (
    "stage",
    "model",
    "calls",
    "hits",
    "hit %",
    "p50 s",
    "p95 s",
    "tokens in",
    "out",
    "USD",
    "USD a row",
    "attempts",
)
NAMES = (0, 1, len(HEAD) - 1)  # columns of words; the others are numbers


def shown(row: Row, name: Callable[[str], str]) -> list[str]:
    """The cells under HEAD; `name` makes a name fit where it is shown. A dash is what there is none of."""
    return [
        row["stage"],
        name(row["model"]),
        f"{row['calls']:,}",
        f"{row['hits']:,}",
        cell(row["hit_rate"], lambda part: f"{100 * part:.0f}"),
        *(cell(row[p], lambda seconds: f"{seconds:.2f}") for p in ("p50", "p95")),
        f"{row['tokens_in']:,}",
        f"{row['tokens_out']:,}",
        "?" if row["unpriced"] else f"{row['usd']:.4f}",
        "?" if row["unpriced"] else cell(row["usd_per_row"], lambda usd: f"{usd:.6f}"),
        ", ".join(f"{n} {outcome}" for outcome, n in row["attempts"].items()) or "–",
    ]


def cell(value: float | None, text: Callable[[float], str]) -> str:
    return "–" if value is None else text(value)


def before(rows: Iterable[Row], now: int) -> str:
    """What a reader must know where the table counts more calls than this try sent, `now`; else nothing."""
    earlier = sum(r["calls"] for r in rows if r["stage"] == TOTAL) - now
    return f"{earlier} of the calls in the table were sent by earlier tries of this run." if earlier > 0 else ""
