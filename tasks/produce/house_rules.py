"""System turns with a rule that code can check of an answer, and those that have no bearing on most questions."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.recipe import RecipeError, located
from tasks.text import units

Check = Literal["ends", "begins", "at_most", "never", "no_lines", "no_match"]


class Rule(BaseModel):
    """A system turn, and what must hold of each answer under it: how it `ends` or `begins`, that it has `at_most` so
    many words or characters, that a text `never` stands in it, that it has `no_lines` that begin so, or `no_match`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    check: Check
    value: str | int = Field(alias="with")

    def broken(self, answer: str) -> str:
        """How the answer breaks the rule; nothing where it keeps it."""
        said, value = answer.strip(), str(self.value)
        match self.check:
            case "ends":
                return "" if said.endswith(value) else f"ends with {said[-40:]}"
            case "begins":
                return "" if said.startswith(value) else f"begins with {said[:40]}"
            case "at_most":
                return "" if units(said) <= int(value) else f"{units(said)}, expected at most {value}"
            case "never":
                return value if value in said else ""
            case "no_lines":
                found = re.search(rf"^\s*(?:{value}).{{0,40}}", said, re.M)
            case "no_match":
                found = re.search(value, said)
        return found[0].strip() if found else ""


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
        fault = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as missing:
        fault = " ".join(str(missing).split())[:160]
    hint = "write effective and idle ones for en and zh"
    raise RecipeError(f"{path} is not a file of system turns: {fault}", "produce.multi_turn", hint)
