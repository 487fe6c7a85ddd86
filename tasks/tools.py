"""Tools as logs declare them: read whatever was meant, and mend the schemas that strict endpoints refuse.

Logs hold declarations of several makers. Some write the types of a language into their JSON schemas (`dict`,
`float`, `tuple`). What is sent to an endpoint, and what a call is checked against, is a mended copy; what is
published keeps its schemas as they were declared, since that is what the student will be given.
"""

from __future__ import annotations

import json
from typing import Any

TYPES = {
    **dict.fromkeys(("dict", "map", "hashmap", "struct"), "object"),
    **dict.fromkeys(("list", "tuple", "set", "arraylist"), "array"),
    **dict.fromkeys(("str", "text", "char", "date", "datetime"), "string"),
    **dict.fromkeys(("float", "double", "decimal"), "number"),
    **dict.fromkeys(("int", "long", "short", "byte"), "integer"),
    **dict.fromkeys(("bool",), "boolean"),
}
KNOWN = {"object", "array", "string", "number", "integer", "boolean", "null"}
NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
DEEPEST = 50


def declared(tools: str) -> list[dict[str, Any]]:
    """The tools that a log declared, as the API takes them; none where it declared none that can be read."""
    if not tools:
        return []
    try:
        plain = json.loads(tools)
        json.dumps(plain, allow_nan=False)  # NaN and Infinity are no JSON: a file with one in it cannot be loaded
    except (ValueError, RecursionError):
        return []
    named = [t for t in plain if isinstance(t, dict)] if isinstance(plain, list) else []
    return [t if "function" in t else {"type": "function", "function": t} for t in named]


def sendable(tools: str) -> list[dict[str, Any]]:
    """The same with schemas that a strict endpoint takes."""
    return [tool | {"function": mended(tool["function"])} for tool in declared(tools)]


def mended(function: Any) -> Any:
    """A function with its parameters as a JSON schema."""
    if not isinstance(function, dict) or not isinstance(function.get("parameters"), dict):
        return function
    return function | {"parameters": schema(function["parameters"])}


def schema(plain: Any, depth: int = 0) -> Any:
    """A JSON schema with the types that JSON has. One that nobody knows is left out: it then takes anything."""
    if not isinstance(plain, dict) or depth > DEEPEST:
        return plain
    made: dict[str, Any] = {}
    for key, value in plain.items():
        if key == "type":
            made |= {} if (known := types(value)) is None else {"type": known}
        elif key in NAMED and isinstance(value, dict):
            made[key] = {name: schema(inner, depth + 1) for name, inner in value.items()}
        elif isinstance(value, list) and key not in ("enum", "required", "examples", "default", "const"):
            made[key] = [schema(inner, depth + 1) for inner in value]
        elif key not in ("default", "const", "example", "enum"):
            made[key] = schema(value, depth + 1)
        else:
            made[key] = value
    return chosen_from(made) if made.get("type") == "array" else made


def chosen_from(array: dict[str, Any]) -> dict[str, Any]:
    """An array with its choices where they were meant: each item is one of them."""
    choices = array.get("enum")
    if not isinstance(choices, list) or any(isinstance(one, list) for one in choices):
        return array
    items = array["items"] if isinstance(array.get("items"), dict) else {}
    return {k: v for k, v in array.items() if k != "enum"} | {"items": items | {"enum": choices}}


def types(given: Any) -> str | list[str] | None:
    """A type, or several, by the names that JSON schemas have; None for one that is none of them."""
    if isinstance(given, list):
        known = [types(one) for one in given]
        return [str(one) for one in known] if known and all(isinstance(one, str) for one in known) else None
    name = str(given).lower().partition("[")[0].strip()
    return TYPES.get(name, name if name in KNOWN else None)
