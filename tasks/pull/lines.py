"""Log lines from files: JSONL, plain, gzip or zstandard; one file, a folder of them, or a glob.

Files are streamed. A line that cannot be used is given with its position and bytes, so that the caller
can keep it.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Any, BinaryIO, cast

import zstandard

from tasks.recipe import RecipeError, located

ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".ndjson.gz", ".ndjson.zst")
MAX_LINE = 32 * 2**20
CHUNK = 2**14


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log: its row, or why there is none and the bytes that stand there (the first of them)."""

    file: str
    number: int
    row: dict[str, Any] | None
    reason: str = ""
    raw: bytes = b""


def files(uri: str) -> list[Path]:
    """The files of a source, in the order of their names. Raises RecipeError where there is none."""
    path = located(uri.removeprefix("file://"))
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.name.endswith(ENDINGS) and not p.name.startswith("."))
    elif has_magic(str(path)) and not path.exists():
        found = sorted(Path(p) for p in glob(str(path), recursive=True) if Path(p).is_file())
    else:
        found = [path] if path.is_file() else []
    if not found:
        hint = f"expected a file, a folder with {', '.join(ENDINGS[:3])} or a glob"
        raise RecipeError(f"no logs at {uri}", "sources", hint)
    return found


def read(path: Path) -> Iterator[Line]:
    """The lines of a file, blank ones left out."""
    number = 0
    try:
        with opened(path) as stream:
            while raw := stream.readline(MAX_LINE + 1):
                number += 1
                if len(raw) > MAX_LINE:
                    yield Line(path.name, number, None, "line_too_long", raw[:4096])
                    while raw and not raw.endswith(b"\n"):
                        raw = stream.readline(MAX_LINE)
                elif raw.strip():
                    yield parsed(path.name, number, raw)
    except (EOFError, OSError, zlib.error, zstandard.ZstdError) as fault:
        yield Line(path.name, number + 1, None, "archive_broken", str(fault).encode())


def opened(path: Path) -> BinaryIO:
    """The file's bytes, unpacked by what its first bytes say, not by its name."""
    file = path.open("rb")
    magic = file.peek(4)[:4]
    if magic[:2] == b"\x1f\x8b":
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if magic == b"\x28\xb5\x2f\xfd":
        return cast(BinaryIO, io.BufferedReader(Frames(file)))
    return file


class Frames(io.RawIOBase):
    """Zstandard frames unpacked. Raises EOFError where the last one is cut: zstandard's own reader says nothing."""

    def __init__(self, packed: BinaryIO) -> None:
        self.pieces = unpacked(packed)
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self.rest and (piece := next(self.pieces, None)) is not None:
            self.rest = memoryview(piece)
        size = min(len(into), len(self.rest))
        into[:size], self.rest = self.rest[:size], self.rest[size:]
        return size


def unpacked(packed: BinaryIO) -> Iterator[bytes]:
    """The contents of a file of frames, piece by piece; closes it."""
    frame, given = None, b""
    with packed:
        while given := given or packed.read(CHUNK):
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            yield frame.decompress(given)
            frame, given = (None, frame.unused_data) if frame.eof else (frame, b"")
    if frame:
        raise EOFError("Compressed file ended before the end of its last frame")


def parsed(file: str, number: int, raw: bytes) -> Line:
    """A line as a row, or the reason why not."""
    try:
        row = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Line(file, number, None, "not_utf8", raw)
    except RecursionError:
        return Line(file, number, None, "nested_too_deep", raw)
    except ValueError:
        return Line(file, number, None, "not_json", raw)
    return Line(file, number, row, "", raw) if isinstance(row, dict) else Line(file, number, None, "not_an_object", raw)
