"""Which format a file is in: Parquet by its first bytes, others by name, JSON Lines where these say nothing."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import zstandard

from tasks.pull.delimited import delimited
from tasks.pull.lines import Line, json_lines
from tasks.pull.parquet import MAGIC, parquet
from tasks.pull.unpacked import File, opened, textual
from tasks.pull.whole import document
from tasks.recipe import READY, Mapping


def read(path: File, mapping: Mapping = READY["own"], delimiter: str | None = None) -> Iterator[Line]:
    """The rows of a file, and a line with a reason for each that cannot be read."""
    number = 0
    try:
        for line in lines(path, mapping, delimiter):
            number = line.number
            yield line
    except (EOFError, OSError, zlib.error, zstandard.ZstdError) as fault:
        yield Line(path.name, number + 1, None, "archive_broken", str(fault).encode("utf-8", "replace"))


def lines(path: File, mapping: Mapping, delimiter: str | None) -> Iterator[Line]:
    ending = Path(path.name.lower().removesuffix(".gz").removesuffix(".zst")).suffix
    with opened(path) as packed:
        magic = packed.peek(4)[:4]
        if magic == MAGIC or ending == ".parquet":
            yield from parquet(path, mapping)
            return
        stream = textual(packed)
        if ending == ".json":
            yield from document(stream, path.name, mapping)
        elif ending in (".csv", ".tsv"):
            yield from delimited(stream, path.name, mapping, delimiter)
        else:
            yield from json_lines(stream, path.name)
