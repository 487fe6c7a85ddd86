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

import pyarrow as pa

from tasks.gate.finding import Finding
from tasks.gate.frame import STUDENT, TEXTS
from tasks.recipe import RecipeError

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.expectations.expectation import Expectation

    from tasks.gate.suite import Rule

LABELS = ("language", "task_type", "subtype", "domain", "teacher", "split")
SHOWN = 3
PARAMETER = "$PARAMETER"
COMPLETE = {"result_format": "COMPLETE", "unexpected_index_column_names": ["row_id"]}
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def expectations(rules: Sequence[Rule], data: pa.Table, parameters: Mapping[str, Any]) -> list[Finding]:
    """Validate a frame, each rule on the columns that it names. Raises RecipeError for an expectation that does not
    exist or cannot run."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import great_expectations.expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
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
        result = validated(expectation, looked_at(rule, data), context)
        if said := fault_of(result.exception_info or {}):
            raise RecipeError(f"gate {rule.name} cannot run: {said}", "gates.suite")
        found.append(finding(rule, arguments, bool(result.success), result.result))
    return found


def validated(
    expectation: Expectation, data: pd.DataFrame, context: EphemeralDataContext
) -> ExpectationValidationResult:
    """Straight through its engine: an asset of a context takes a fingerprint of each text first, in three copies."""
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.validator.validator import Validator

    validator = Validator(PandasExecutionEngine(batch_data_dict={"rows": data}), data_context=context)
    (result,) = validator.graph_validate([expectation.configuration], {"result_format": COMPLETE})
    return result


def looked_at(rule: Rule, data: pa.Table) -> pd.DataFrame:
    """The rows that a rule is about, with the columns that it names: Great Expectations copies what it is given. All
    columns but texts for a rule that names none."""
    said = repr(rule.arguments)
    named = [c for c in data.column_names if re.search(rf"\b{c}\b", said)]
    others = [c for c in data.column_names if c not in TEXTS]
    part = data.select(list(dict.fromkeys(["row_id", *(named or others)])))
    return (part.filter(pa.array(data["new"].to_numpy() == 1)) if rule.of == "new" else part).to_pandas()


def checkable(rule: Rule, data: pa.Table) -> bool:
    """Whether the columns of the student are there, where the rule names one."""
    return rule.arguments.get("column") not in STUDENT or rule.arguments["column"] in data.column_names


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
