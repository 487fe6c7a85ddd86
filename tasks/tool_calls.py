"""Whether a tool call can be made: its name is declared, and its arguments are JSON that the declared schema takes.

A declaration comes from a log or a file: its references are followed nowhere, its patterns are not tried (a pattern can
be made to take for ever), and a schema that is none lets every call pass.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from tasks.record import ToolCall
from tasks.tools import sendable


def fault_of(call: ToolCall, tools: str) -> str:
    """Why a call of one of these tools (JSON, as they were declared) cannot be made; nothing where it can."""
    functions = [tool["function"] for tool in sendable(tools) if isinstance(tool["function"], dict)]
    wanted = next((f for f in functions if f.get("name") == call.name), None)
    if wanted is None:
        return f"{call.name} is not declared"
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return f"{call.name}: the arguments are not JSON"
    if not isinstance(arguments, dict):
        return f"{call.name}: the arguments are no object"
    said = refusal(arguments, wanted.get("parameters"))
    return f"{call.name}: {said}" if said else ""


def refusal(arguments: dict[str, Any], parameters: Any) -> str:
    """What the schema says against the arguments; nothing where it takes them or is no schema.

    A value that the declaration itself gives as the default is taken, whether it fits or not.
    """
    from jsonschema.exceptions import SchemaError, best_match
    from referencing.exceptions import Unresolvable

    if not isinstance(parameters, dict):
        return ""
    try:
        validator = validators()
        validator.check_schema(parameters)
        faults = validator(parameters, registry=closed()).iter_errors(arguments)
        fault = best_match(f for f in faults if not by_default(f))
    except (SchemaError, Unresolvable, RecursionError, TypeError, ValueError):
        return ""
    return f"{fault.json_path}: {fault.message}"[:160] if fault else ""


def by_default(fault: Any) -> bool:
    return isinstance(fault.schema, dict) and "default" in fault.schema and fault.schema["default"] == fault.instance


@cache
def validators() -> Any:
    """Draft 2020-12 without its patterns."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    return extend(Draft202012Validator, {"pattern": untried, "patternProperties": untried})


def untried(*_: object) -> None:
    return None


@cache
def closed() -> Any:
    """A registry that fetches nothing."""
    from referencing import Registry

    return Registry()
