"""The files that a technique begins with: files, folders with all that is below them, and globs, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape, has_magic
from itertools import takewhile
from pathlib import Path

from tasks.paths import finished, matching
from tasks.recipe import RecipeError, located


@dataclass(frozen=True, slots=True)
class Input:
    """A file, as the recipe names it: `name` is its path below that place, `origin` also tells two places apart."""

    path: Path
    name: str
    origin: str


def inputs(given: tuple[str, ...], endings: tuple[str, ...], technique: str) -> list[Input]:
    """The files that are meant, each once; of a folder only those with one of the endings.

    Raises RecipeError where a place names none.
    """
    found: dict[Path, Input] = {}
    for uri in given:
        there = sorted(named(uri, endings, technique))
        if not there:
            hint = f"expected a file, a folder with {', '.join(endings)}, or a glob"
            raise RecipeError(f"no files at {uri}", f"produce.{technique}.files", hint)
        for path, name in there:
            found.setdefault(path.resolve(), Input(path, name, f"{uri}\0{name}"))
    if not found:
        raise RecipeError(
            f"{technique} names no files", f"produce.{technique}.files", "name a file, a folder or a glob"
        )
    return list(found.values())


def named(uri: str, endings: tuple[str, ...], technique: str) -> Iterator[tuple[Path, str]]:
    """What one place of the recipe stands for, each file with its name there."""
    if "://" in uri and not uri.startswith("file://"):
        what = f"{technique} reads files of this machine, not {uri.partition('://')[0]}://"
        raise RecipeError(what, f"produce.{technique}.files", "fetch them first")
    path = located(uri.removeprefix("file://"))
    if path.is_dir():
        for file in matching(f"{escape(str(path))}/**"):
            if file.is_file() and finished(file) and file.name.lower().endswith(endings):
                yield file, file.relative_to(path).as_posix()
    elif has_magic(str(path)) and not path.exists():
        above = Path(*takewhile(lambda part: not has_magic(part), path.parts))
        there = (file for file in matching(str(path)) if file.is_file() and finished(file))
        yield from ((file, file.relative_to(above).as_posix()) for file in there)
    elif path.is_file():
        yield path, path.name
