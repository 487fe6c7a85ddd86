"""The results as a table and as JSON; the figure is in `figure.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import mean
from typing import Any

from benchmarks.engine.figure import figure
from benchmarks.engine.peers import PROJECT
from benchmarks.engine.runs import MEAN
from benchmarks.engine.scenarios import GROWN, KILLS, SHARE, Result

RESULTS = PROJECT / "benchmarks" / "results"
OURS = "ours"
NOTES = f"""\
Every client asks the same questions (about 400 characters, answers of about 1,000, one in English, the next in Chinese)
of the same server on loopback, in a process of its own: latency lognormal with a mean of {MEAN * 1000:.0f} ms, drawn
from the question. Wall over ideal is wall / (rows x mean latency / in flight), so that counts may differ. CPU is
the client's own with its children, after its imports. Peak is that of the process and its largest child.

- Again: the same rows a second time on the same folder. Grown: {GROWN} rows more on it; anything above {GROWN} calls is
  paid again, and rows without their right answer are named.
- Killed: SIGKILL to all of its processes once half of the answers are paid for, at 64 in flight, then started again;
  answers that were paid for twice, by the server's count, in the mean of {KILLS} such runs.
- Faults, at 64 in flight: {SHARE:.0%} of the requests meet a 429 (again in 100 ms), a 500, a 503, a reset, a hang, a
  cut body, broken JSON, no choices, null or empty content, each as often. Every client is given 8 retries and a timeout
  of 5 s where it takes them; aiohttp by hand has no retries. Lost are rows without an answer, empties are passed on as
  good.
- A client without a place for answers on disk pays for everything again after a second start.
- Bold is the best of a column."""


@dataclass(frozen=True)
class Column:
    """A figure of a scenario: smaller is better; `missing` gives what is wrong with the result besides."""

    scenario: str
    title: str
    value: Callable[[Result], float]
    digits: int = 2
    unit: str = ""
    missing: Callable[[Result], str] = lambda result: lost(result)

    def cell(self, row: dict[str, Any], best: float | None) -> str:
        """What stands in a client's row."""
        result = row["results"].get(self.scenario)
        if result is None:
            return "none kept" if not (row.get("failed") or row["keeps"]) else "–"
        if "failed" in result:
            return "failed"
        number = f"{self.value(result):,.{self.digits}f}{self.unit}"
        missing = self.missing(result)
        return f"**{number}**" if best is not None and self.value(result) <= best and not missing else number + missing

    def best(self, rows: list[dict[str, Any]]) -> float | None:
        """The smallest value of those that lost nothing."""
        results = (row["results"].get(self.scenario) for row in rows)
        whole = [self.value(r) for r in results if r and "failed" not in r and not self.missing(r)]
        return min(whole, default=None)


def lost(result: Result) -> str:
    """Rows that did not get their right answer."""
    return f" ({missing:,} of {result['rows']:,} lost)" if (missing := result["lost"] + result["empty"]) else ""


def nothing(_: Result) -> str:
    return ""


COLUMNS = (
    Column("cold_256", "256 in flight: wall / ideal", lambda r: r["over_ideal"]),
    Column("cold_256", "CPU ms a call", lambda r: r["cpu_ms"]),
    Column("cold_256", "peak MiB", lambda r: r["peak"], 0),
    Column("cold_64", "64 in flight: wall / ideal", lambda r: r["over_ideal"]),
    Column("cold_64", "CPU ms a call", lambda r: r["cpu_ms"]),
    Column("again", "again: ms a row", lambda r: r["wall"] / r["rows"] * 1000),
    Column("again", "again: calls", lambda r: r["calls"], 0),
    Column("grown", f"grown by {GROWN}: calls", lambda r: r["calls"], 0),
    Column("killed", "killed: paid twice", lambda r: mean(r["paid_twice"]), 1),
    Column("faults", f"{SHARE:.0%} faults: lost", lambda r: r["lost"], 0, missing=nothing),
    Column("faults", "empties as good", lambda r: r["empty"], 0, missing=nothing),
    Column("faults", "wall / ideal", lambda r: r["over_ideal"]),
)


def markdown(told: dict[str, Any]) -> str:
    """The whole report."""
    rows = told["clients"]
    best = [c.best(rows) for c in COLUMNS]
    lines = [
        "# The call engine beside its peers",
        "",
        f"`python -m benchmarks.engine`, {told['date']}, Python {told['python']}, {told['system']}, "
        f"{told['cores']} cores, load {told['load']:.1f} at the start, {told['seconds'] / 60:.0f} minutes. "
        f"{of_server(told)} (`python -m benchmarks.engine.speed`).",
        "",
        "| client | rows | " + " | ".join(c.title for c in COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 2) + "|",
        *(f"| {title(row)} | {asked(row)} | {' | '.join(cells(row, best))} |" for row in rows),
        "",
        *failures(rows),
        *not_ahead(rows),
        NOTES,
    ]
    return "\n".join(lines) + "\n"


def of_server(told: dict[str, Any]) -> str:
    """How much the server takes by itself."""
    rates = (f"{v:,.0f} calls {k} on {n} connections" for n, r in told["server"].items() for k, v in r.items())
    return f"Without latency the server takes {', '.join(rates)}"


def title(row: dict[str, Any]) -> str:
    return f"{row['title']} ({row['package']} {row['version'] or '–'})"


def asked(row: dict[str, Any]) -> str:
    return f"{row['results'].get('cold_256', {}).get('rows', 0):,}"


def cells(row: dict[str, Any], best: list[float | None]) -> Iterator[str]:
    for column, value in zip(COLUMNS, best, strict=True):
        yield column.cell(row, value)


def failures(rows: list[dict[str, Any]]) -> list[str]:
    """Why a cell has no figure."""
    said = [f"- {row['title']}: {row['failed']}" for row in rows if row.get("failed")]
    said += [f"- {r['title']}, {s}: {x['failed']}" for r in rows for s, x in r["results"].items() if "failed" in x]
    return [*said, ""] if said else []


def not_ahead(rows: list[dict[str, Any]]) -> list[str]:
    """Where another client has a better figure than ours; nothing where ours was not measured."""
    ours = next((row for row in rows if row["name"] == OURS), None)
    if ours is None:
        return []
    said = [line for column in COLUMNS if (line := behind(column, ours, rows))]
    return ["Where this engine is not ahead:", "", *(f"- {line}" for line in said or ["nowhere"]), ""]


def behind(column: Column, ours: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """By how much ours is behind the best of a column; empty where it is not."""
    result, best = ours["results"].get(column.scenario), column.best(rows)
    where = f"{column.scenario}, {column.title}"
    if not result or "failed" in result:
        return f"{where}: no figure"
    if best is None or column.value(result) <= best:
        return ""
    first = next(row["title"] for row in rows if column.cell(row, best).startswith("**"))
    mine, theirs = (f"{v:,.{column.digits}f}" for v in (column.value(result), best))
    return f"{where}: {mine}, {first} {theirs}"


def written(told: dict[str, Any]) -> str:
    """Write all three; gives their folder."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "engine.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "engine.md").write_text(markdown(told), encoding="utf-8")
    figure(told["clients"], RESULTS / "engine.png")
    return str(RESULTS.relative_to(PROJECT))
