"""What a run came to: the object that `--json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from tasks.gate.finding import Finding
from tasks.history.ledger import dropped
from tasks.tally import Tally
from tasks.teacher.count import Count

SCHEMA = 1
OTHER_UNITS = ("_percent", "_saved")
EXITS = {"published": 0, "nothing_new": 0, "plan": 0, "error": 2, "blocked": 3, "budget": 4, "teacher": 5, "busy": 6}


@dataclass(slots=True)
class Report:
    """The end of a run. `status` is one of the keys of EXITS; `ledger` is state -> log rows, `made` state -> records
    that techniques made, `gates`
    the findings of rules that do not hold, `findings` those of all,
    `warnings` what went wrong without changing the outcome, `costs` what each stage asked of each model
    (flows/costs.py)."""

    status: str
    dataset: str = ""
    version: str | None = None
    path: str | None = None
    rows_read: int = 0
    rows_new: int = 0
    rows_total: int = 0
    ledger: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    teacher: dict[str, Any] = field(default_factory=lambda: teacher(Count()))
    error: dict[str, str] | None = None
    stages: list[dict[str, Any]] = field(default_factory=list)
    outside: int = 0
    plan: dict[str, Any] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)
    gates: list[dict[str, Any]] = field(default_factory=list)
    then: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    costs: list[dict[str, Any]] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """JSON-ready, for scripts: the keys are promised."""
        return {"schema": SCHEMA} | asdict(self) | {"dropped": dropped(self.ledger)}


def teacher(spent: Count, unpriced: Iterable[str] = ()) -> dict[str, Any]:
    """What the run spent. Hits cost nothing; what models in `unpriced` cost is not in it."""
    same = {"tokens_in": spent.tokens_in, "tokens_out": spent.tokens_out, "usd": round(spent.usd, 6)}
    more = {"fallbacks": spent.fallbacks, "estimated": spent.estimated, "unpriced": sorted(unpriced)}
    return {"calls": spent.calls, "cache_hits": spent.hits, **same, **more}


def failed(status: str, what: str, where: str = "", hint: str = "", **more: Any) -> Report:
    """A report of a run that did not come to its end."""
    return Report(status, error={"what": what, "where": where, "hint": hint}, **more)


def stage_line(stage: str, tally: Tally) -> str:
    """One line of progress: what went in and what came of it."""
    parts = [f"{tally.seen} in" + (f" ({tally.passed} pass by)" if tally.passed else ""), f"{tally.out} out"]
    parts += [f"{n} {reason}" for reason, n in tally.dropped.items()]
    parts += [f"{n} {what}" for what, n in tally.noted.items()]
    parts += [f"{tally.merged} merged"] * bool(tally.merged) + [f"{tally.pending} pending"] * bool(tally.pending)
    calls, hits = tally.spent.calls, tally.spent.hits
    parts += [f"{calls} call{'s' * (calls > 1)}"] * bool(calls) + [f"{hits} from the store"] * bool(hits)
    parts += [f"{tally.spent.fallbacks} by the fallback"] * bool(tally.spent.fallbacks)
    return f"{stage:<8} {', '.join(parts)}"


def noted(report: Report) -> list[str]:
    """What techniques counted beside their rows, a line for each: ill-formed tasks, say. Figures in other units than
    rows stand in lines of their own."""
    links = [s for s in report.stages if s.get("passed") is not None]
    counted = [(n, what, s["stage"]) for s in links for what, n in s["noted"].items() if not what.endswith(OTHER_UNITS)]
    return [f"{n:>7} {what.replace('_', ' ')} ({stage})" for n, what, stage in counted]


def warnings(report: Report) -> list[str]:
    """What is worth a look although the run went well: gates that only warn, and hooks that failed."""
    return [f"gate {Finding.of(g)}" for g in report.gates if g["severity"] == "warning"] + report.warnings


def asides(spent: dict[str, float]) -> list[str]:
    """What a reader of the figures must know about them."""
    said = {
        "fallbacks": "{} labels, answers and verdicts came from the fallback, because an endpoint was out.",
        "estimated": "The tokens of {} calls are estimates: the endpoint told none.",
    }
    return [text.format(spent[what]) for what, text in said.items() if spent[what]]
