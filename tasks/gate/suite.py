"""Dataset gates: rules on the staged files, confirmed by Great Expectations, and on the shares of this run.

A suite is a data file (`data/gates/default.yaml`). A rule of severity `critical` that does not hold blocks
publishing. Great Expectations runs in an ephemeral context of its own for each check, with its analytics
and progress bars off.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow.parquet as pq
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.recipe import RecipeError, located
from tasks.record import message, spoken
from tasks.tally import Tally
from tasks.text import units

Severity = Literal["critical", "warning"]
SAME = ("row_id", "language", "task_type", "subtype", "domain", "teacher")


class Rule(BaseModel):
    """An expectation on the rows."""

    model_config = ConfigDict(extra="forbid")
    name: str
    severity: Severity
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


class Suite(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rules: list[Rule] = []
    shares: list[Share] = []


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule came to: what was observed and what was expected."""

    rule: str
    severity: str
    passed: bool
    observed: str
    expected: str

    @property
    def blocks(self) -> bool:
        return not self.passed and self.severity == "critical"

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.rule}: {self.observed}, expected {self.expected}"


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


def rows(suite: Suite, version: Path) -> list[Finding]:
    """The rules on the staged files of a version."""
    return expectations(suite.rules, frame(sorted(version.glob("data/chat/*.parquet"))))


def frame(files: Sequence[Path]) -> pd.DataFrame:
    """The staged rows as a flat frame, one line for each."""
    flat: list[dict[str, Any]] = []
    for file in files:
        for row in pq.read_table(file).to_pylist():
            prompt = "\n".join(m["content"] for m in row["messages"][:-1])
            response = spoken(message(row["messages"][-1]))
            same = {k: row[k] for k in SAME}
            flat.append(
                same
                | {"prompt": prompt, "response": response, "judge": row["judge_score"]}
                | {
                    "split": file.name.partition("-")[0],
                    "prompt_units": units(prompt),
                    "response_units": units(response),
                }
            )
    return pd.DataFrame(flat, columns=[*SAME, "prompt", "response", "judge", "split", "prompt_units", "response_units"])


def expectations(rules: Sequence[Rule], data: pd.DataFrame) -> list[Finding]:
    """Validate a frame. Raises RecipeError for an expectation that does not exist or cannot run."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import great_expectations.expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    batch = (
        context.data_sources.add_pandas("staged")
        .add_dataframe_asset("rows")
        .add_batch_definition_whole_dataframe("all")
    )
    got = batch.get_batch({"dataframe": data})
    found = []
    for rule in rules:
        try:
            expectation = getattr(gxe, rule.expect)(**rule.arguments)
        except (AttributeError, TypeError, ValueError) as fault:
            raise RecipeError(f"gate {rule.name}: {' '.join(str(fault).split())[:200]}", "gates.suite") from None
        result = got.validate(expectation)
        if said := fault_of(result.exception_info or {}):
            raise RecipeError(f"gate {rule.name} cannot run: {said}", "gates.suite")
        found.append(Finding(rule.name, rule.severity, bool(result.success), observed(result.result), expected(rule)))
    return found


def fault_of(info: dict[str, Any]) -> str:
    """What kept an expectation from running: said for the whole of it, or for each of its metrics."""
    told = [one for one in (info, *info.values()) if isinstance(one, dict) and one.get("raised_exception")]
    return " ".join(str(told[0].get("exception_message")).split())[:200] if told else ""


def observed(result: dict[str, Any]) -> str:
    if "observed_value" in result:
        value = result["observed_value"]
        return f"{value:.3g}" if isinstance(value, float) else str(value)
    some = ", ".join(map(str, result.get("partial_unexpected_list", [])[:3]))
    return f"{result.get('unexpected_count', 0)} rows break it" + (f" ({some[:120]})" if some else "")


def expected(rule: Rule) -> str:
    return f"{rule.expect} {', '.join(f'{k}={v}' for k, v in rule.arguments.items())}"
