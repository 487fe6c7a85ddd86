"""Rules on rows, confirmed by Great Expectations, and each result as one line.

Great Expectations runs in an ephemeral context of its own for each check, with its analytics and progress bars off.
What it found is told by numbers and row ids; values are shown of `LABELS` alone, which hold no text of a row.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from tasks.gate.finding import Finding
from tasks.gate.frame import STUDENT
from tasks.recipe import RecipeError

if TYPE_CHECKING:
    import pandas as pd

    from tasks.gate.suite import Rule

LABELS = ("language", "task_type", "subtype", "domain", "teacher", "split")
SHOWN = 3
PARAMETER = "$PARAMETER"
COMPLETE = {"result_format": "COMPLETE", "unexpected_index_column_names": ["row_id"]}
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def expectations(rules: Sequence[Rule], data: pd.DataFrame, parameters: Mapping[str, Any]) -> list[Finding]:
    """Validate a frame. Raises RecipeError for an expectation that does not exist or cannot run."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import great_expectations.expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    asset = context.data_sources.add_pandas("staged").add_dataframe_asset("rows")
    definition = asset.add_batch_definition_whole_dataframe("all")
    parts = {"all": data, "new": data[data["new"] == 1]}
    batches = {of: definition.get_batch({"dataframe": part}) for of, part in parts.items()}
    found = []
    for rule in rules:
        if not checkable(rule, data):
            expects = expected(rule, rule.arguments)
            found.append(Finding(rule.name, rule.severity, None, "not checked: the recipe names no student", expects))
            continue
        arguments = resolved(rule, parameters)
        try:
            expectation = getattr(gxe, rule.expect)(**arguments)
        except (AttributeError, TypeError, ValueError) as fault:
            raise RecipeError(f"gate {rule.name}: {' '.join(str(fault).split())[:200]}", "gates.suite") from None
        result = batches[rule.of].validate(expectation, result_format=COMPLETE)
        if said := fault_of(result.exception_info or {}):
            raise RecipeError(f"gate {rule.name} cannot run: {said}", "gates.suite")
        found.append(finding(rule, arguments, bool(result.success), result.result))
    return found


def checkable(rule: Rule, data: pd.DataFrame) -> bool:
    """Whether the columns of the student are there, where the rule names one."""
    return rule.arguments.get("column") not in STUDENT or rule.arguments["column"] in data.columns


def fault_of(info: dict[str, Any]) -> str:
    """What kept an expectation from running: said for the whole of it, or for each of its metrics."""
    told = [one for one in (info, *info.values()) if isinstance(one, dict) and one.get("raised_exception")]
    return " ".join(str(told[0].get("exception_message")).split())[:200] if told else ""


def finding(rule: Rule, known: Mapping[str, Any], passed: bool, result: dict[str, Any]) -> Finding:
    ids = [str(r["row_id"]) for r in (result.get("unexpected_index_list") or [])[:SHOWN]]
    return Finding(rule.name, rule.severity, passed, observed(known, result), expected(rule, known), tuple(ids))


def resolved(rule: Rule, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, `{$PARAMETER: name}` as the value of that name. Raises RecipeError where there is none."""
    named = {k: v[PARAMETER] for k, v in rule.arguments.items() if isinstance(v, dict) and PARAMETER in v}
    if unknown := [n for n in named.values() if n not in parameters]:
        hint = f"the parameters are {', '.join(parameters) or 'none'}"
        raise RecipeError(f"gate {rule.name}: there is no parameter {unknown[0]}", "gates.suite", hint)
    return rule.arguments | {k: parameters[name] for k, name in named.items()}


def observed(arguments: Mapping[str, Any], result: dict[str, Any]) -> str:
    """What was seen, and for numbers how far that is from the bound."""
    if "observed_value" in result:
        value = result["observed_value"]
        return number(value) + beyond(arguments, [value]) if isinstance(value, Real) else "other values"
    count, seen = result.get("unexpected_count", 0), result.get("element_count", 0)
    said = f"{count} of {seen} rows{f' ({count / seen:.1%})' if count else ''} break it"
    values = list(dict.fromkeys(result.get("unexpected_list") or []))
    if count and arguments.get("column") in LABELS:
        said += f": {', '.join(str(v)[:40] for v in values[:SHOWN])}"
    return said + beyond(arguments, [v for v in values if isinstance(v, Real)])


def beyond(arguments: Mapping[str, Any], values: Sequence[Any]) -> str:
    """How far the furthest of some numbers lies beyond a bound; empty where none does."""
    least, most = arguments.get("min_value"), arguments.get("max_value")
    if values and isinstance(most, Real) and (top := max(values)) > most:
        return f" ({number(top)} is {number(top - most)} too many)"
    if values and isinstance(least, Real) and (low := min(values)) < least:
        return f" ({number(low)} is {number(least - low)} short)"
    return ""


def number(value: Any) -> str:
    return f"{value:.6g}"


def expected(rule: Rule, arguments: Mapping[str, Any]) -> str:
    """The expectation in words: `column values to be in set: column language, value_set ['en', 'zh']`."""
    words = CAMEL.sub(" ", rule.expect.removeprefix("Expect")).lower()
    told = ", ".join(f"{k} {str(v)[:120]}" for k, v in arguments.items())
    return f"{words}: {told}" + (" (new rows)" if rule.of == "new" else "")
