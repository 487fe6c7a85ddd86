"""Replies that nobody gave: as long as such replies are, and of the shape that was asked for.

Their words are chance numbers: of no language, so that they fit any, and no two texts are alike, so that none is a
duplicate.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

LISTED = 8  # in a list whose length the schema leaves open


def invented(schema: dict[str, Any] | None, length: int, chance: Random) -> str:
    """A text of about `length` tokens, or JSON that fits the schema, each free text in it of that length."""
    if schema is None:
        return words(length, chance)
    return json.dumps(value(schema, schema.get("$defs", {}), length, chance), ensure_ascii=False)


def value(schema: dict[str, Any], defs: dict[str, Any], length: int, chance: Random) -> Any:
    """Something that fits: one of the values allowed, what passes for yes, and the highest score."""
    if named := schema.get("$ref"):
        return value(defs[named.rpartition("/")[2]], defs, length, chance)
    if "const" in schema:
        return schema["const"]
    if allowed := schema.get("enum"):
        return chance.choice(allowed)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return value(choices[0], defs, length, chance)
    match schema.get("type"):
        case "object":
            return {k: value(s, defs, length, chance) for k, s in schema.get("properties", {}).items()}
        case "array":
            return [value(schema.get("items", {}), defs, length, chance) for _ in range(schema.get("minItems", LISTED))]
        case "integer" | "number":
            return schema.get("maximum", schema.get("minimum", 1))
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return words(length, chance)


def words(length: int, chance: Random) -> str:
    """Three digits and a space are one token, by the estimate of `tokens`."""
    return " ".join(str(chance.randrange(100, 1000)) for _ in range(max(1, length)))
