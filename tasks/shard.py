"""Parquet in, Parquet out: a file is whole or absent.

A file is written beside its place, synced and renamed into it, so that a run killed at any moment
leaves either nothing or all of it. The same rows give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Self

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.record import Record
from tasks.schema import records, table

ROW_GROUP = 10_000


@dataclass(frozen=True, slots=True)
class Shard:
    """A Parquet file by path, its rows and the sha256 of its bytes: what travels between tasks."""

    path: str
    rows: int
    sha256: str

    @property
    def name(self) -> str:
        return Path(self.path).stem

    def table(self, columns: list[str] | None = None) -> pa.Table:
        return pq.read_table(self.path, columns=columns)

    def leaves(self, paths: Sequence[str]) -> pa.Table:
        """Some columns only, and of structs some fields, by their paths in Parquet (`messages.list.element.role`)."""
        with pq.ParquetFile(self.path) as file:
            return file.read(columns=[*paths])

    def records(self) -> list[Record]:
        return records(self.table())

    @property
    def whole(self) -> bool:
        """Whether the file is there with the bytes that it was written with."""
        return Path(self.path).is_file() and sha256(self.path) == self.sha256

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        return cls(**plain)


def write(rows: pa.Table, path: str | Path) -> Shard:
    """Write a table to `path`, whole or not at all; parent folders are made."""
    with placed(path) as out:
        if rows.num_rows:
            parquet(rows, out)
        else:
            out.write(bare(rows.schema.serialize().to_pybytes()))
    return Shard(str(path), rows.num_rows, sha256(path))


def write_all(parts: Iterable[pa.Table], schema: pa.Schema, path: str | Path) -> Shard:
    """The same of a table that comes in parts; each is a row group of its own."""
    rows = 0
    with placed(path) as out, pq.ParquetWriter(out, schema, compression="zstd", store_schema=True) as sink:
        for part in parts:
            sink.write_table(part, ROW_GROUP)
            rows += part.num_rows
    return Shard(str(path), rows, sha256(path))


def parquet(rows: pa.Table, out: BinaryIO) -> None:
    pq.write_table(rows, out, compression="zstd", row_group_size=ROW_GROUP, store_schema=True)


@cache
def bare(schema: bytes) -> bytes:
    """The file of a table without rows, made once for a schema: beside each shard stand what was dropped and what
    waits, and mostly that is nothing."""
    out = BytesIO()
    parquet(pa.ipc.read_schema(pa.py_buffer(schema)).empty_table(), out)
    return out.getvalue()


def write_records(made: Iterable[Record], path: str | Path) -> Shard:
    return write(table(made), path)


def write_json(plain: Any, path: str | Path) -> None:
    """Plain data as indented JSON with sorted keys, whole or not at all."""
    write_text(json.dumps(plain, ensure_ascii=False, indent=2, sort_keys=True) + "\n", path)


def write_text(text: str, path: str | Path) -> None:
    with placed(path) as out:
        out.write(text.encode())


@contextmanager
def placed(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write that stands at `path` once the block ends well, and nowhere if it does not."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def sha256(path: str | Path) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
