"""Wall over ideal and CPU a call of every client, at 64 and 256 in flight: dots on a log scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WHAT = {"over_ideal": "wall / ideal", "cpu_ms": "CPU ms a call"}
SHOWN = {"cold_256": ("256 in flight", -0.15, "#1f4e79"), "cold_64": ("64 in flight", 0.15, "#d9822b")}


def figure(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw the clients in the order of the table, the first on top."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(10, 4), layout="constrained")
    panes = drawn.subplots(1, 2, sharey=True)
    for pane, (what, axis) in zip(panes, WHAT.items(), strict=True):
        for scenario in SHOWN:
            dots(pane, [row["results"].get(scenario, {}).get(what) for row in rows], *SHOWN[scenario])
        pane.set(xscale="log", xlabel=f"{axis} (log scale; less is better)")
        pane.xaxis.set_major_formatter("{x:g}")
        pane.xaxis.set_minor_formatter("")
        pane.margins(x=0.2, y=0.08)
        pane.grid(axis="y", alpha=0.3)
    panes[0].axvline(1, color="grey", linewidth=0.8)
    panes[0].set_yticks(range(len(rows)), [row["title"] for row in rows])
    panes[0].invert_yaxis()
    panes[1].legend(loc="upper right")
    drawn.savefig(path, dpi=120)


def dots(pane: Any, values: list[float | None], label: str, offset: float, colour: str) -> None:
    """One dot for each client with its value; a word where it has none."""
    known = [(value, i + offset) for i, value in enumerate(values) if value]
    pane.plot(*zip(*known, strict=True) if known else ((), ()), "o", color=colour, label=label)
    for value, at in known:
        pane.annotate(f"{value:.2f}", (value, at), (6, 0), textcoords="offset points", va="center", fontsize=8)
    for i in (i for i, value in enumerate(values) if not value):
        pane.text(
            0.02, i + offset, "failed", transform=pane.get_yaxis_transform(), va="center", fontsize=8, color=colour
        )
