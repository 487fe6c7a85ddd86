"""Some rows of a table by their numbers, with other values in some fields: what a fold keeps, and no copy of it.

A fold sees all rows of a run and changes little about them. It says which ones go on and what is new; the rows are put
together when they are written, a shard at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.schema import SCHEMA, column, values_of


@dataclass(frozen=True)
class Chosen:
    """The rows of `table` with these numbers, in this order. `changed` is field -> row number -> value, for fields of a
    record that its ids are not made of."""

    table: pa.Table
    numbers: Sequence[int]
    changed: Mapping[str, Mapping[int, Any]] = field(default_factory=dict)

    @property
    def num_rows(self) -> int:
        return len(self.numbers)

    @property
    def schema(self) -> pa.Schema:
        return self.table.schema

    def slice(self, offset: int = 0, length: int | None = None) -> pa.Table:
        """Some of the rows, or all, as `pa.Table.slice` gives them; these are in memory."""
        numbers = self.numbers[offset : None if length is None else offset + length]
        rows = self.taken(np.asarray(numbers, dtype=np.int64))
        for name, new in self.changed.items():
            values = [new.get(n, old) for n, old in zip(numbers, values_of(rows, name), strict=True)]
            rows = rows.set_column(rows.column_names.index(name), SCHEMA.field(name), column(name, values))
        return rows

    def taken(self, numbers: np.ndarray) -> pa.Table:
        """What `pa.Table.take` gives, without making one piece of each whole column before."""
        part = np.searchsorted(self.begins, numbers, "right") - 1
        pieces = [self.batches[p].take(pa.array(numbers[part == p] - self.begins[p])) for p in np.unique(part)]
        rows = pa.Table.from_batches(pieces, self.table.schema)
        if (np.diff(part) >= 0).all():
            return rows
        return rows.combine_chunks().take(np.argsort(np.argsort(part, kind="stable"), kind="stable"))

    @cached_property
    def batches(self) -> list[pa.RecordBatch]:
        return [b for b in self.table.to_batches() if b.num_rows]

    @cached_property
    def begins(self) -> np.ndarray:
        """The number of each batch's first row."""
        return np.cumsum([0, *(b.num_rows for b in self.batches)])[:-1]


Rows = pa.Table | Chosen


def parts(rows: Any, size: int) -> Iterator[pa.Table]:
    """Rows cut into tables of this size; one that is empty where there are none."""
    return (rows.slice(start, size) for start in range(0, max(1, rows.num_rows), size))
