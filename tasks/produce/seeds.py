"""What the growing techniques start from: seeds, topics and word lists, as files that a team can put its own beside.

A path may hold `{language}`: `data/seeds/{language}.jsonl` is one file for each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from tasks.recipe import RecipeError, located

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Seed:
    """A task that a person wrote: what is asked, the material that goes with it, and its answer."""

    task_type: str
    prompt: str
    input: str = ""
    response: str = ""
    classification: bool = False
    subtype: str = ""


SEED = TypeAdapter(Seed)


def named(path: str, language: str) -> str:
    """The file of one language."""
    return path.replace("{language}", language)


@cache
def read_seeds(path: str) -> tuple[Seed, ...]:
    """The seeds of a JSONL file. Raises RecipeError where it cannot be read or a line is no seed."""
    return read(path, SEED.validate_json, "a file of seeds", "task_type and prompt on each line")


@cache
def read_lines(path: str) -> tuple[str, ...]:
    """The lines of a text file but for blank ones and those that begin with #. Raises RecipeError."""
    found = tuple(line for line in read(path, str.strip, "a list", "one to a line") if not line.startswith("#"))
    if not found:
        raise RecipeError(f"{path} is not a list: it has nothing but remarks", "produce", "write one to a line")
    return found


def read(path: str, one: Callable[[str], Read], what: str, expected: str) -> tuple[Read, ...]:
    try:
        found = tuple(one(line) for line in located(path).read_text("utf-8").splitlines() if line.strip())
        fault = "" if found else "it is empty"
    except ValidationError as faults:
        found, fault = (), faults.errors()[0]["msg"]
    except UnicodeDecodeError:
        found, fault = (), "it is not UTF-8"
    except OSError as missing:
        found, fault = (), missing.strerror or repr(missing)
    if fault:
        raise RecipeError(f"{path} is not {what}: {fault}", "produce", f"write {expected}")
    return found
