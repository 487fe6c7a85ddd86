"""A constraint in words, in both languages: `data/constraints.yaml` has several wordings for each.

The wordings of one constraint stand in a fixed order, so that the one that a prompt uses can be found in it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from random import Random
from typing import Any

import yaml

from tasks.constraint.counted import Counted
from tasks.constraint.kind import Constraint
from tasks.recipe import located

FILE = "data/constraints.yaml"
JOINED = {"en": ("“{}”", ", "), "zh": ("“{}”", "、")}


def wordings(constraint: Constraint, language: str) -> list[str]:
    """Every way to ask for it; a language that is not Chinese is asked in English."""
    told = "zh" if language == "zh" else "en"
    known: dict[str, Any] = table()["kinds"][constraint.name]
    if isinstance(constraint, Counted) and not (constraint.form == "none" and "none" in known):
        return [
            filled(words, constraint, told, count)
            for words in known["counted"][told]
            for count in counts(constraint, known["unit"][told], told)
        ]
    return [filled(words, constraint, told) for words in known[constraint.form or "stated"][told]]


def worded(constraint: Constraint, language: str, dice: Random) -> str:
    """One of them by dice."""
    return dice.choice(wordings(constraint, language))


def counts(constraint: Counted, unit: str | list[str], language: str) -> list[str]:
    """A bound and its unit in words, as often as there are ways to say it."""
    last = constraint.least if constraint.most is None else constraint.most
    one = unit if isinstance(unit, str) else unit[last != 1]
    form = "at_most" if constraint.form == "none" else constraint.form
    return [
        words.format(least=constraint.least, most=constraint.most, unit=one)
        for words in table()["bounds"][form][language]
    ]


def filled(words: str, constraint: Constraint, language: str, count: str = "") -> str:
    values = {name: shown(name, value, language) for name, value in asdict(constraint).items()}
    return words.format(count=count, **values)


def shown(name: str, value: Any, language: str) -> str:
    """A field's value as it is read: several words one after the other in quotes, a language by its name."""
    if name == "language":
        return str(table()["languages"].get(value, {}).get(language, value))
    if isinstance(value, tuple):
        quoted, between = JOINED[language]
        return between.join(quoted.format(one) for one in value)
    return str(value)


def listed(constraints: Iterable[Constraint], language: str) -> str:
    """Constraints as lines of a list, each in its first wording."""
    return "\n".join(f"- {wordings(c, language)[0]}" for c in constraints)


@cache
def table() -> dict[str, Any]:
    return yaml.safe_load(located(FILE).read_text("utf-8"))
