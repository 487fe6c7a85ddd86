"""Files behind a URL, through fsspec: streamed, never loaded whole.

A file that cannot be read to its end is no broken file: the fault goes on as RecipeError, as Unreachable where
another try may succeed, so that no run takes half of it for the whole.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import urlsplit

from tasks.paths import finished
from tasks.pull.files import ENDINGS
from tasks.pull.place import HTTP, Place, missing, place
from tasks.recipe import Source


@dataclass(frozen=True)
class Remote:
    """A file at a place; opened as a Path is."""

    at: Place
    path: str

    @property
    def name(self) -> str:
        path = urlsplit(self.path).path if self.at.uri.startswith(HTTP) else self.path
        return PurePosixPath(path).name

    def open(self, mode: Literal["rb"] = "rb") -> io.BufferedReader:
        """To be read from its beginning to its end, which every web server allows."""
        return self.opened(mode, {"block_size": 0} if self.at.uri.startswith(HTTP) else {})

    def ranged(self) -> io.BufferedReader:
        """To be read here and there, as Parquet is."""
        return self.opened("rb", {})

    def opened(self, mode: str, how: dict[str, int]) -> io.BufferedReader:
        with self.at.reached():
            return io.BufferedReader(Reading(self.at.system.open(self.path, mode, **how), self.at))


class Reading(io.RawIOBase):
    """A file of a storage as it is read; its faults are those of the place."""

    def __init__(self, file: Any, at: Place) -> None:
        self.file, self.at = file, at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self.file.seekable()

    def readinto(self, into: Any) -> int:
        piece = self.tried(self.file.read, len(into))
        into[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self.tried(self.file.seek, offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def tried(self, does: Callable[..., Any], *given: Any) -> Any:
        with self.at.reached():
            try:
                return does(*given)
            except ValueError as fault:  # so fsspec says that a server knows no ranges
                raise io.UnsupportedOperation(str(fault)) from None


def remote(source: Source) -> list[Remote]:
    """The files of a source behind a URL, in the order of their names. Raises RecipeError where there is none."""
    at = place(source)
    with at.reached():
        if "*" in at.path:
            listed = at.system.glob(at.path, detail=True).values()
            found = [f["name"] for f in listed if f["type"] == "file" and finished(PurePosixPath(f["name"]))]
        elif at.path.endswith("/") or not (at.uri.startswith(HTTP) or at.system.isfile(at.path)):
            listed = [Remote(at, f["name"]) for f in at.system.ls(at.path, detail=True) if f["type"] == "file"]
            found = [f.path for f in listed if f.name.lower().endswith(ENDINGS) and finished(PurePosixPath(f.name))]
        else:
            found = [at.path]
    if not found:
        raise missing(source.uri)
    return [Remote(at, path) for path in sorted(found)]
