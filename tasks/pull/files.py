"""The files of a source: one file, a folder of them, or a glob; hidden and temporary ones left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from glob import escape, glob, has_magic
from pathlib import Path, PurePath

from tasks.recipe import RecipeError, located

TEXT = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
ENDINGS = (*(text + packed for text in TEXT for packed in ("", ".gz", ".zst")), ".parquet")
UNFINISHED = ("~", ".tmp", ".part", ".partial", ".swp", ".crdownload")


def files(uri: str) -> list[Path]:
    """The files of a source, in the order of their names, each once. Raises RecipeError where there is none."""
    path = located(uri.removeprefix("file://"))
    if path.is_dir():
        found = [p for p in path.iterdir() if p.name.lower().endswith(ENDINGS) and finished(p) and p.is_file()]
    elif has_magic(str(path)) and not path.exists():
        found = [p for p in matching(str(path)) if finished(p) and p.is_file()]
    else:
        found = [path] if path.is_file() else []
    if not found:
        hint = f"expected a file, a folder with {', '.join(TEXT)} (or .gz, .zst of these) or .parquet, or a glob"
        raise RecipeError(f"no logs at {uri}", "sources", hint)
    return list({path.resolve(): path for path in sorted(found, reverse=True)}.values())[::-1]


def finished(path: PurePath) -> bool:
    """Whether somebody means the file to be read: editors and copying programs name theirs otherwise."""
    return not path.name.startswith((".", "#")) and not path.name.lower().endswith(UNFINISHED)


def matching(pattern: str) -> Iterator[Path]:
    """What a glob names; `**` goes into each folder once, however links lead round."""
    above, deep, rest = pattern.partition("/**/")
    if not deep and pattern.endswith("/**"):
        above, deep, rest = pattern[:-3], "/**/", "*"
    if not deep:
        yield from map(Path, glob(pattern))
        return
    for top in glob(above or "/"):
        for folder in below(top):
            yield from matching(f"{escape(folder)}/{rest}")


def below(top: str) -> Iterator[str]:
    """A folder and all that are in it, hidden ones left out; links are followed, but to no folder twice."""
    met: set[tuple[int, int]] = set()
    for folder, inner, _ in os.walk(top, followlinks=True):
        stat = Path(folder).stat()
        if (stat.st_dev, stat.st_ino) in met:
            inner.clear()
            continue
        met.add((stat.st_dev, stat.st_ino))
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield folder
