"""Dataset gates: a suite of rules from a data file, and what they come to.

Three kinds of rules: expectations on the staged files, caps on the shares of this run, and comparisons with the
last version. A rule of severity `critical` that does not hold blocks publishing; a `warning` is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.gate.finding import Finding
from tasks.recipe import RecipeError, Student, located
from tasks.tally import Tally

Severity = Literal["critical", "warning"]


class Rule(BaseModel):
    """An expectation on the rows: all of them, or those that are new."""

    model_config = ConfigDict(extra="forbid")
    name: str
    severity: Severity
    of: Literal["all", "new"] = "all"
    expect: str
    arguments: dict[str, Any] = Field(alias="with")


class Share(BaseModel):
    """A cap on the share of a stage's rows that ended for some reasons."""

    model_config = ConfigDict(extra="forbid")
    name: str
    severity: Severity
    stage: str
    reasons: list[str]
    most: float


class Against(BaseModel):
    """A measure of this run beside that of the last version: at least `least` times as much."""

    model_config = ConfigDict(extra="forbid")
    name: str
    severity: Severity
    measure: Literal["rows", "yield"]
    least: float


class Suite(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rules: list[Rule] = []
    shares: list[Share] = []
    against: list[Against] = []


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rules on the staged files are held against.

    `parameters` are the values that a suite may name as `{$PARAMETER: name}`; `parent` is the folder of the last
    version, if any; `now` and `before` are measure -> value, for this run and for the one that made the parent.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    student: Student | None = None
    parent: str = ""
    now: Mapping[str, float] = field(default_factory=dict)
    before: Mapping[str, float] = field(default_factory=dict)


def read(path: str) -> Suite:
    """Raises RecipeError where the file is not a suite."""
    try:
        return Suite.model_validate(yaml.safe_load(located(path).read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as fault:
        said = " ".join(str(fault).split())[:300]
        raise RecipeError(f"{path} is not a suite of gates: {said}", "gates.suite") from None


def shares(suite: Suite, tallies: Iterable[Tally]) -> list[Finding]:
    """The rules on this run. A stage that saw nothing breaks none. Raises RecipeError for a stage that there is not."""
    by_stage = {t.stage: t for t in tallies}
    found = []
    for rule in suite.shares:
        tally = by_stage.get(rule.stage)
        if tally is None:
            hint = f"the stages are {', '.join(by_stage)}"
            raise RecipeError(f"gate {rule.name}: there is no stage {rule.stage}", "gates.suite", hint)
        seen = tally.seen
        hit = sum(tally.dropped.get(r, 0) for r in rule.reasons)
        share = hit / seen if seen else 0.0
        observed = f"{hit} of {seen} rows ({share:.1%}) ended as {', '.join(rule.reasons)}"
        found.append(Finding(rule.name, rule.severity, share <= rule.most, observed, f"at most {rule.most:.0%}"))
    return found


def rows(suite: Suite, version: Path, terms: Terms | None = None) -> list[Finding]:
    """The rules on the staged files of a version, beside the last one."""
    from tasks.gate.expectations import expectations
    from tasks.gate.frame import frame
    from tasks.gate.student import Reader

    given = terms or Terms()
    old = ids(Path(given.parent)) if given.parent else frozenset[str]()
    reader = Reader.of(given.student) if given.student else None
    wanted = repr([rule.arguments for rule in suite.rules])
    data = frame(sorted(version.glob("data/chat/*.parquet")), wanted, reader, old, version.parent)
    found = expectations(suite.rules, data, given.parameters)
    return found + against(suite, {"rows": float(data.num_rows), **given.now}, given.before)


def ids(version: Path) -> frozenset[str]:
    files = sorted(version.glob("data/chat/*.parquet"))
    return frozenset(i for f in files for i in pq.read_table(f, columns=["row_id"]).column("row_id").to_pylist())


def against(suite: Suite, now: Mapping[str, float], before: Mapping[str, float]) -> list[Finding]:
    """The rules beside the last version; where there is none, they are not looked at."""
    found = []
    for rule in suite.against:
        here, then = now.get(rule.measure), before.get(rule.measure)
        expected = f"at least {rule.least:g} times the {rule.measure} of the last version"
        if here is None or not then:
            found.append(Finding(rule.name, rule.severity, None, "not checked: nothing to compare with", expected))
            continue
        missing = rule.least * then - here
        observed = f"{rule.measure} {here:.4g}, it was {then:.4g}" + (f" ({missing:.4g} short)" if missing > 0 else "")
        found.append(Finding(rule.name, rule.severity, missing <= 0, observed, expected))
    return found
