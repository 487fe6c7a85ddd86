"""What a path of a recipe may stand for: which files somebody means to be read, and what a glob names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from glob import escape, glob
from pathlib import Path, PurePath

UNFINISHED = ("~", ".tmp", ".part", ".partial", ".swp", ".crdownload")


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
