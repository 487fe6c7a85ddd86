"""The form that answers of a task type must have, as far as code can check it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tasks.constraint.register import NoConstraint, read, unmet
from tasks.recipe import RecipeError
from tasks.recipe.small_model import Form as Told
from tasks.record import Record


@dataclass(frozen=True, slots=True)
class Form:
    """All that is given must hold. `keys` are pairs of a JSON object's key and the values that it may have, none for
    any; `constraints` are JSON, as a record keeps them."""

    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    labels: tuple[str, ...] = ()
    regex: str = ""
    constraints: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: Told) -> Self:
        """What the recipe says. Raises RecipeError for a constraint that is none."""
        constraints = tuple(json.dumps(plain, ensure_ascii=False) for plain in told.constraints)
        for number, text in enumerate(constraints):
            try:
                read(text)
            except NoConstraint as fault:
                raise RecipeError(str(fault), f"answer.small_model.form.constraints.{number}") from None
        keys = tuple((key, tuple(values)) for key, values in told.json_keys.items())
        return cls(keys, tuple(told.labels), told.regex, constraints)

    def kept(self, record: Record) -> bool:
        """Whether the response has it, and keeps the constraints of the record too, those that can be read."""
        text = record.response.strip()
        if not text or (self.labels and text not in self.labels):
            return False
        if self.regex and not re.fullmatch(self.regex, text, re.DOTALL):
            return False
        try:
            constraints = tuple(read(one) for one in (*self.constraints, *record.constraints))
        except NoConstraint:
            return False
        return not unmet(constraints, text) and (not self.keys or self.keyed(json_of(text)))

    def keyed(self, found: Any) -> bool:
        wanted = dict(self.keys)
        if not isinstance(found, Mapping) or found.keys() != wanted.keys():
            return False
        return all(not values or found[key] in values for key, values in wanted.items())

    @property
    def closed(self) -> bool:
        """Whether an answer is one of a few, so that two of them agree or do not."""
        return bool(self.labels) or (bool(self.keys) and all(values for _, values in self.keys))


def json_of(text: str) -> Any:
    """What a JSON text says; None for one that is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def same(one: str, other: str) -> bool:
    """Whether two answers say the same: as JSON where both are, else word for word."""
    first, second = json_of(one), json_of(other)
    return first == second if first is not None and second is not None else one.strip() == other.strip()
