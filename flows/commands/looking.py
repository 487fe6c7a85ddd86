"""How a command looks at a dataset: the options that find it, and how what it saw ends on the screen."""

from __future__ import annotations

import difflib
import errno
import functools
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from flows.commands.ending import end, of_recipe
from flows.report import SCHEMA, failed
from tasks.history.dataset import Busy, Dataset, Unfit
from tasks.recipe import Recipe, RecipeError, checked, read

DEFAULT = "deployments/recipes/weekly.yaml"
NOT_ALLOWED = (errno.EROFS, errno.EACCES, errno.EPERM)
UNREADABLE = (OSError, ValueError, TypeError, KeyError, sqlite3.Error)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a command saw: plain data for scripts, a page for people, the exit code."""

    plain: dict[str, Any]
    page: str
    code: int = 0


def looking(command: Callable[..., Seen]) -> Callable[..., int]:
    """A command that gets its dataset by recipe or by lake and name, and says what it saw, or why it could not."""

    @click.option("--recipe", "recipe_file", metavar="FILE", help=f"The recipe whose output it is. Default: {DEFAULT}")
    @click.option("--out", metavar="DIR", help="The lake that the dataset is in, instead of the recipe's.")
    @click.option("--name", metavar="NAME", help="The dataset's name, instead of the recipe's.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object as the last line of stdout.")
    @functools.wraps(command)
    def run(recipe_file: str | None, out: str | None, name: str | None, as_json: bool, **told: Any) -> int:
        try:
            dataset = dataset_at(recipe_file, out, name)
        except RecipeError as fault:
            return end(of_recipe(fault), as_json)
        return looked(functools.partial(command, dataset, **told), dataset.folder, as_json)

    return run


def looked(look: Callable[[], Seen], folder: Path, as_json: bool) -> int:
    """Print what was seen of the dataset in a folder, or why nothing could be; gives the exit code."""
    try:
        seen = readable(look, folder)
    except RecipeError as fault:
        return end(of_recipe(fault), as_json)
    except Unfit as fault:
        return end(failed("error", str(fault)), as_json)
    except Busy as fault:
        return end(failed("busy", str(fault), hint="wait for it", dataset=folder.name), as_json)
    plain = {"schema": SCHEMA, "dataset": folder.name, "path": str(folder)} | seen.plain
    click.echo(json.dumps(plain, ensure_ascii=False) if as_json else seen.page)
    return seen.code


def readable(look: Callable[[], Seen], folder: Path) -> Seen:
    """What is seen. Raises RecipeError where a file cannot be read or written, or is not what it should be."""
    try:
        return look()
    except RecipeError:
        raise
    except UNREADABLE as fault:
        if isinstance(fault, OSError) and fault.errno in NOT_ALLOWED:
            raise RecipeError(f"{fault.filename}: {fault.strerror}") from None
        what = f"{folder} cannot be read: {' '.join(str(fault).split())[:200]}"
        raise RecipeError(what, hint="flywheel verify says what is wrong with it") from None


def dataset_at(recipe_file: str | None, out: str | None, name: str | None) -> Dataset:
    """The dataset that the options name. Raises RecipeError where there is none, with those that stand there."""
    recipe = Recipe() if out and name and not recipe_file else read(recipe_file or DEFAULT)
    changes = {"dir": str(Path(out).expanduser().absolute())} if out else {}
    changes |= {"name": name} if name else {}
    plain = recipe.model_dump()
    folder = checked(plain | {"output": plain["output"] | changes}, "--name").dataset
    if (
        any(folder.glob("increments/[0-9]*")) or (folder / "calls.sqlite").is_file()
    ):  # of a first run, perhaps under way
        return Dataset(folder)
    there = sorted(p.parent.parent.name for p in folder.parent.glob("*/increments/[0-9]*"))
    there = list(dict.fromkeys(there))
    near = difflib.get_close_matches(folder.name, there, 1)
    hint = f"did you mean --name {near[0]}" if near else f"--name one of {', '.join(there)}" if there else ""
    raise RecipeError(f"there is no dataset at {folder}", hint=hint or "flywheel refresh makes one")


def version_of(dataset: Dataset, given: str | None) -> str:
    """The version that was asked for, or the one in force. Raises Unfit where there is none, or its folder is gone."""
    version = given or dataset.base
    if version is None:
        raise Unfit(f"nothing was published yet in {dataset.folder}")
    dataset.publishing(version)
    dataset.standing(version)
    return version
