"""System turns that put constraints on every answer, and those that have no bearing on most questions."""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tasks.constraint.kind import Constraint
from tasks.constraint.register import read, unmet, written
from tasks.recipe import RecipeError, located


def constraint(plain: Any) -> Constraint:
    """A constraint as the file has it: its kind and its values."""
    return read(json.dumps(plain))


class Rule(BaseModel):
    """A system turn, and the constraints that each answer under it keeps."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    text: str
    keeps: tuple[Annotated[Constraint, BeforeValidator(constraint)], ...] = Field(min_length=1)

    @property
    def written(self) -> tuple[str, ...]:
        """The constraints as a record keeps them."""
        return tuple(map(written, self.keeps))

    def broken(self, answer: str) -> str:
        """The first constraint that the answer breaks; nothing where it keeps them all."""
        return next(map(written, unmet(self.keeps, answer)), "")


class SystemTurns(BaseModel):
    """Both kinds, by language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    effective: dict[str, tuple[Rule, ...]]
    idle: dict[str, tuple[str, ...]]


@cache
def read_system_turns(path: str) -> SystemTurns:
    """The system turns of a YAML file. Raises RecipeError where it holds none that can be read."""
    try:
        return SystemTurns.model_validate(yaml.safe_load(located(path).read_text("utf-8")))
    except ValidationError as faults:
        first = faults.errors()[0]
        fault = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first["loc"] else "no mapping"
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as missing:
        fault = " ".join(str(missing).split())[:160]
    hint = "write effective and idle ones for en and zh"
    raise RecipeError(f"{path} is not a file of system turns: {fault}", "produce.multi_turn", hint)
