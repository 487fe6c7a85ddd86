"""What pydantic finds wrong with a value, as the place and the end of a sentence: what is wanted, and what was found.

A recipe may hold a secret that somebody put into the wrong field, so a text is shown only where a number, a time or one
of a few words was wanted.
"""

from __future__ import annotations

import json

from pydantic_core import ErrorDetails

SHOWN = 20  # characters of a text: no key is so short


def placed(fault: ErrorDetails) -> tuple[str, str]:
    """Where the fault is, as a dotted path, and what it is."""
    way = fault["loc"]
    if fault["type"] == "invalid_key":  # which pydantic names by its number: 0 for false
        return dotted(way[:-1]), unquoted("a key is", fault["input"])
    if fault["type"] == "string_type" and isinstance(fault["input"], bool):
        return dotted(way), unquoted("it is", fault["input"])
    said = fault["msg"].removeprefix("Value error, ")
    return dotted(way), f"{said}; it is {json.dumps(fault['input'], ensure_ascii=False)}" if shown(fault) else said


def unquoted(what: str, found: object) -> str:
    """What a text is that YAML took for something else: 1.1 reads on, off, yes and no as true and false."""
    if not isinstance(found, bool):
        return f"{what} {found}, and has to be a text: write it in quotes"
    meant, read = ("on or yes", "true") if found else ("off or no", "false")
    return f"{what} {read}, which is how YAML reads {meant}: write the word in quotes"


def dotted(way: tuple[int | str, ...]) -> str:
    return ".".join(map(str, way))


def shown(fault: ErrorDetails) -> bool:
    """Whether a sentence may repeat what was found: a figure, or a text where no text of one's own was wanted."""
    found, wanted = fault["input"], fault["type"]
    if isinstance(found, str):
        return len(found) <= SHOWN and (wanted == "literal_error" or wanted.endswith("_parsing"))
    return isinstance(found, bool | int | float | None) and wanted not in ("value_error", "string_type", "missing")
