"""What stands near a new prompt: in all that was asked before, and among the new ones themselves.

Candidates share a key (see `near_keys`); each is verified by the exact likeness. A bucket gives its first `CAP` rows,
in the order of the log, so that boilerplate does not make the work grow with its square; only what was kept is in a
bucket, so that a bucket is the same in a run over everything as in a run that has the first part as its past.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.history.asked import ASKED, PUBLISHED, Asked, hashed
from tasks.history.fresh import Fresh
from tasks.history.index import ROWS, Index
from tasks.shard import Shard

CAP = 200
IS_PUBLISHED = pc.field("fate") == PUBLISHED


@dataclass(frozen=True)
class Past:
    """All that was asked before, from the segments of the increments that count; part of a step's settings.

    `folder` is where the indexes of the segments are kept, and what is compared with them; without one, there are no
    segments, and that is in memory. Rows are numbered through all segments.
    """

    segments: tuple[Shard, ...] = ()
    folder: Path | None = None

    def __repr__(self) -> str:
        return f"Past({', '.join(s.sha256 for s in self.segments)})"

    @cached_property
    def size(self) -> int:
        return sum(s.rows for s in self.segments)

    @cached_property
    def indexes(self) -> list[Index]:
        return [Index.open(s, self.folder or Path()) for s in self.segments]

    @cached_property
    def begins(self) -> list[int]:
        """The number of each segment's first row."""
        return [0, *accumulate(s.rows for s in self.segments)][:-1]

    def row(self, number: int) -> Asked:
        part = bisect_right(self.begins, number) - 1
        rows, at = self.indexes[part].rows, number - self.begins[part]
        return Asked(**{name: rows.column(name)[at].as_py() for name in ASKED.names})

    @cached_property
    def published(self) -> int:
        """How many rows were published."""
        return sum(i.rows.select(["fate"]).filter(IS_PUBLISHED).num_rows for i in self.indexes)

    def having(self, column: str, texts: Iterable[str]) -> pa.Table:
        """The published rows with one of these very texts in a column of `EXACT`: that column, and their side."""
        wanted, columns = np.unique(hashed(column, texts)), (column, "side", "fate")
        wanted = wanted[wanted > 0]  # an empty text is none
        found = [ROWS.empty_table().select(columns)]
        for index in self.indexes:
            _, begin, end = index.find(wanted)
            at = [index.at[b:e] for b, e in zip(begin, end, strict=True)]
            rows = index.rows.select(columns).take(np.concatenate([index.at[:0], *at]))
            found.append(rows.filter(IS_PUBLISHED))
        return pa.concat_tables(found)


NOTHING = Past()


class Near(NamedTuple):
    """A prompt that is near to another: how alike they are, its number, and itself. The past is numbered first."""

    like: float
    number: int
    asked: Asked


class Neighbours:
    """The neighbours of `new` prompts that are at least `floor` alike, one prompt after the other in their order.

    What is in the past stands before all of them, a new prompt once it is kept. `compared` counts candidates, `crowded`
    the prompts that have no neighbour although a bucket of theirs held more than was compared.
    """

    def __init__(self, past: Past, new: Fresh, floor: float) -> None:
        self.past, self.new, self.floor = past, new, floor
        self.compared = self.crowded = 0
        self.row = lru_cache(maxsize=4096)(past.row)
        keys = new.keys
        wanted, numbered, count = np.unique(keys, return_inverse=True, return_counts=True)
        self.keys = numbered.reshape(keys.shape)  # a key by its number in `wanted`
        self.shared = (count > 1) & (wanted > 0)
        self.buckets: dict[int, list[int]] = defaultdict(list)
        found = [index.find(wanted) for index in past.indexes]
        hits = [np.stack([*f, np.full(len(f[0]), part)]) for part, f in enumerate(found)]
        table = np.concatenate([np.empty((4, 0), dtype=np.int64), *hits], axis=1)
        self.hits = table[:, np.argsort(table[0], kind="stable")]
        self.first = np.searchsorted(self.hits[0], np.arange(len(wanted) + 1))
        self.live = self.shared | (np.diff(self.first) > 0)

    @property
    def noted(self) -> dict[str, int]:
        """What a tally says of it."""
        return {"compared": self.compared, "crowded": self.crowded}

    def of(self, i: int) -> list[Near]:
        """What stands before the prompt `i` and is near to it, by number."""
        one, mine = self.new[i], self.keys[i]
        buckets = [self.bucket(key) for key in mine[self.live[mine]].tolist()]
        found = sorted({number for bucket in buckets for number in bucket[:CAP]})
        near = [
            Near(like, number, other)
            for number, other in zip(found, map(self.prompt, found), strict=True)
            if (like := one.likeness(other, self.floor)) >= self.floor
        ]
        self.compared += len(found)
        self.crowded += not near and any(len(b) > CAP for b in buckets)
        return near

    def keep(self, i: int) -> int:
        """From here on the prompt `i` stands before those that follow. Gives its number."""
        number, mine = self.past.size + i, self.keys[i]
        for key in mine[self.shared[mine]].tolist():
            if len(self.buckets[key]) <= CAP:
                self.buckets[key].append(number)
        return number

    def bucket(self, key: int) -> list[int]:
        """The first rows under a key, one more than are compared where there are as many."""
        rows: list[int] = []
        for _, begin, end, part in self.hits[:, self.first[key] : self.first[key + 1]].T.tolist():
            at = self.past.indexes[part].at[begin : min(end, begin + CAP + 1 - len(rows))]
            rows += (at.astype(np.int64) + self.past.begins[part]).tolist()
        return rows + self.buckets.get(key, [])

    def prompt(self, number: int) -> Asked:
        old = self.past.size
        return self.row(number) if number < old else self.new[number - old]


def across(old: Sequence[Asked], new: Sequence[Asked], floor: float) -> list[tuple[float, int, int]]:
    """Pairs of a prompt of `old` and one of `new`, at least `floor` alike, as (likeness, number in old, in new)."""
    both = Neighbours(NOTHING, Fresh.of([*old, *new]), floor)
    for i in range(len(old)):
        both.keep(i)
    return [(near.like, near.number, i) for i in range(len(new)) for near in both.of(len(old) + i)]
