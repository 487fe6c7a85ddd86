"""The segments of the history on disk, by key: sorted keys and rows that are mapped into memory, never loaded.

A segment (what one increment asked) has two Arrow files. `.keys` holds (key, row) sorted by both: bands, the hash
of the very words, the answer, the conversation. `.rows` holds the rows uncompressed, of which only those are read
that a key leads to. Both are made from the increment's own `asked` file, whose bytes name them, and may be deleted:
a run that misses one, or finds only one of another format, makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.history.asked import ASKED, EXACT, hashed, near_keys
from tasks.history.near import FORMAT
from tasks.mapped import mapped
from tasks.shard import Shard, placed

KEYS = pa.schema([("key", pa.uint64()), ("row", pa.uint32())])
ROWS = pa.schema([(f.name, pa.large_string() if pa.types.is_string(f.type) else f.type) for f in ASKED])


@dataclass(frozen=True, slots=True)
class Index:
    """One segment, mapped. `keys` ascends; `at` is the row of each, ascending among equal keys."""

    rows: pa.Table
    keys: np.ndarray
    at: np.ndarray

    @classmethod
    def open(cls, asked: Shard, folder: Path) -> Index:
        """The index of a segment, made where it does not stand."""
        name = place(asked, folder)
        if not all(name.with_suffix(ending).is_file() for ending in (".rows", ".keys")):
            make(asked, name)
        keys = mapped(name.with_suffix(".keys"))
        key, at = (keys.column(c).to_numpy() for c in KEYS.names)
        return cls(mapped(name.with_suffix(".rows")), key, at)

    def find(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which of the `wanted` keys (ascending) are there, by number, and where in `at` their rows begin and end."""
        begin = np.searchsorted(self.keys, wanted)
        there = np.flatnonzero(self.keys.take(begin, mode="clip") == wanted) if len(self.keys) else begin[:0]
        return there, begin[there], np.searchsorted(self.keys, wanted[there], "right")


def place(asked: Shard, folder: Path) -> Path:
    """Where the index of a segment stands, but for the two endings."""
    return folder / f"{FORMAT}-{asked.sha256[:24]}"


def make(asked: Shard, name: Path) -> None:
    """Write both files."""
    rows = pq.read_table(asked.path)
    if "robust" not in rows.column_names:  # an earlier release knew of none
        rows = rows.append_column("robust", pa.repeat(False, rows.num_rows))
    rows = rows.select(ASKED.names).cast(ROWS).combine_chunks()
    keys = np.column_stack([near_keys(rows), *(hashed(c, rows.column(c).to_pylist()) for c in EXACT)])
    row, column = np.nonzero(keys)
    key = keys[row, column]
    order = np.argsort(key, kind="stable")
    write(rows, name.with_suffix(".rows"))
    write(pa.table([key[order], row[order].astype(np.uint32)], schema=KEYS), name.with_suffix(".keys"))


def write(table: pa.Table, path: Path) -> None:
    """As one batch, so that a column is one piece of memory when it is mapped."""
    with placed(path) as out, pa.ipc.new_file(out, table.schema) as sink:
        sink.write_table(table)
