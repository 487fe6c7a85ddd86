"""What is asked now, as a fold compares it: like the history it lies on disk, and is read prompt by prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from tasks.chosen import Chosen
from tasks.history.asked import ASKED, Asked, near_keys, segment
from tasks.mapped import spooled
from tasks.schema import AT_ONCE

AHEAD = 200  # prompts that are read at once where one follows the other
KEPT = 4096  # prompts that are compared again and again: those of crowded buckets


class Fresh(Sequence[Asked]):
    """The prompts of this run in the order in which a fold takes them."""

    def __init__(self, rows: pa.Table, order: Sequence[int]) -> None:
        self.rows = Chosen(rows, order)
        self.one = lru_cache(KEPT)(self.read)
        self.ahead: list[Asked] = []
        self.begin = 0

    @classmethod
    def of(cls, asked: Iterable[Asked], folder: Path | None = None) -> Fresh:
        """In their order; they lie in `folder`, or in memory."""
        rows = spooled(map(segment, batched(asked, AT_ONCE)), ASKED, folder)
        return cls(rows, range(rows.num_rows))

    def ordered(self, order: Sequence[int]) -> Fresh:
        """The same prompts in another order, by their numbers in this one."""
        return Fresh(self.rows.table, [self.rows.numbers[n] for n in order])

    def __len__(self) -> int:
        return self.rows.num_rows

    def __getitem__(self, number: int) -> Asked:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One by one they are read ahead; a prompt in passing is read alone."""
        if number == self.begin + len(self.ahead):
            self.begin, self.ahead = number, asked_of(self.rows.slice(number, AHEAD))
        if 0 <= number - self.begin < len(self.ahead):
            return self.ahead[number - self.begin]
        return self.one(number)

    def read(self, number: int) -> Asked:
        at = self.rows.numbers[number]
        return Asked(**{name: self.rows.table.column(name)[at].as_py() for name in ASKED.names})

    @property
    def keys(self) -> np.ndarray:
        """The keys under which each is found, as `near_keys` gives them."""
        made = [near_keys(pa.table(batch)) for batch in self.rows.batches]
        return np.concatenate([near_keys(ASKED.empty_table()), *made])[np.asarray(self.rows.numbers, dtype=np.int64)]


def asked_of(rows: pa.Table) -> list[Asked]:
    """The reverse of `segment`."""
    columns = (rows.column(name).to_pylist() for name in ASKED.names)
    return [Asked(**dict(zip(ASKED.names, values, strict=True))) for values in zip(*columns, strict=True)]


def batched(asked: Iterable[Asked], size: int) -> Iterator[list[Asked]]:
    rest = iter(asked)
    while some := list(islice(rest, size)):
        yield some
