"""The settings of a technique: what each does, what it may be, and what it is where a recipe does not say.

The docstring of its class explains them, in lines of their own; those of a class above stand there:

    `rounds`: generations of each prompt, one after the other.
    `words`, `characters`: the least and the most of an instruction in English or Chinese.

Settings that mean the same in every technique have a type here, which explains them and says what they may be.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, dataclass, fields, is_dataclass
from dataclasses import Field as OfClass
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import to_jsonable_python

Temperature = Annotated[float, Field(ge=0, le=2, description="How freely a reply is drawn; 0: the likeliest words.")]
MaxTokens = Annotated[PositiveInt, Field(description="Longest reply, in tokens; one that is cut there is no answer.")]
Reasks = Annotated[NonNegativeInt, Field(description="How often a reply that cannot be read is asked for again.")]
KeepReasoning = Annotated[bool, Field(description="Publish the teacher's reasoning as reasoning_content.")]
Language = Annotated[Literal["en", "zh"], Field(description="The language of what is made.")]
Languages = Annotated[tuple[Literal["en", "zh"], ...], Field(description="The languages of what is made, in turn.")]
AtOnce = Annotated[PositiveInt, Field(description="How many are begun together, in one round.")]
Patience = Annotated[PositiveInt, Field(description="Rounds in a row that bring nothing new, after which it ends.")]
Target = Annotated[PositiveInt, Field(description="How many to make.")]
Share = Annotated[float, Field(ge=0)]  # of several; they are weighed against each other and need not add up to 1
TO_BE_GIVEN = "to be given"
NAMES = r"(?:`\w+`(?:, | and )?)+"
LINE = re.compile(rf"^({NAMES}): ((?:.+\n?)+?)(?=^{NAMES}: |^\s*$|\Z)", re.M)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as plain data: `allowed` is empty where any value of its type will do."""

    name: str
    default: Any
    allowed: str
    about: str


def settings(technique: type[Any]) -> list[Setting]:
    """The settings of a technique, in its order."""
    shapes, said = properties(technique), explained(technique)
    return [
        Setting(f.name, default(f), allowed(shape), said.get(f.name) or shape.get("description", ""))
        for f in fields(technique)
        if f.init and (shape := shapes.get(f.name, {})) is not None
    ]


def properties(technique: type[Any]) -> dict[str, dict[str, Any]]:
    """The JSON schema of each setting; empty where a team's own has a setting that JSON has no word for."""
    try:
        return TypeAdapter(technique).json_schema().get("properties", {})
    except PydanticInvalidForJsonSchema:
        return {}


def explained(technique: type[Any]) -> dict[str, str]:
    """What the docstrings of a class and of those above it say of settings."""
    said: dict[str, str] = {}
    for above in reversed([c for c in technique.__mro__ if is_dataclass(c)]):
        for line in LINE.finditer(inspect.cleandoc(above.__doc__ or "")):
            told = " ".join(line[2].split())
            said |= dict.fromkeys(re.findall(r"`(\w+)`", line[1]), told[:1].upper() + told[1:])
    return said


def made(technique: type[Any]) -> str:
    """What comes of it: its docstring but for the lines that explain settings."""
    return " ".join(LINE.sub("", inspect.cleandoc(technique.__doc__ or "")).split())


def default(field: OfClass[Any]) -> Any:
    """A setting's default as plain data."""
    if field.default is not MISSING:
        return to_jsonable_python(field.default)
    return TO_BE_GIVEN if field.default_factory is MISSING else to_jsonable_python(field.default_factory())


def allowed(shape: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if of := shape.get("anyOf"):
        return ", or ".join(said for one in of if (said := allowed(one)))
    if words := shape.get("enum"):
        *others, last = words
        return f"{', '.join(others)} or {last}" if others else last
    if isinstance(shape.get("items"), dict):
        return f"each {each}" if (each := allowed(shape["items"])) else ""
    return "null" if shape.get("type") == "null" else bounds(shape)


def bounds(shape: dict[str, Any]) -> str:
    """The least and the most of a figure."""
    least, most, above = (shape.get(name) for name in ("minimum", "maximum", "exclusiveMinimum"))
    if above is not None and shape["type"] == "integer":
        least = above + 1
    if least is not None:
        return f"{least:g} to {most:g}" if most is not None else f"{least:g} or more"
    return f"more than {above:g}" if above is not None else ""
