"""What was asked, and what came of it: the memory that one increment leaves to the next.

Every prompt that survived the dedup of prompts stands here, published or not, so that a prompt that was
asked once is known for ever: nobody pays for it twice, and eight weekly runs come to what one run comes
to. A row holds keys (folded text for matching) and band hashes, never the text that is published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from tasks.history.near import BANDS, FORMAT, bands, candidates, jaccard
from tasks.record import ROBUST, Record, identity
from tasks.shard import Shard
from tasks.text import key

ASKED = pa.schema(
    [
        ("prompt_id", pa.string()),
        ("row_id", pa.string()),
        ("fate", pa.string()),
        ("side", pa.string()),
        ("conversation", pa.string()),
        ("system", pa.string()),
        ("turns", pa.string()),
        ("last", pa.string()),
        ("answer", pa.string()),
        ("robust", pa.bool_()),
        ("bands", pa.list_(pa.uint64(), BANDS)),
    ],
    metadata={"near_format": str(FORMAT)},
)
PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt in its folded form. `row_id` and `side` are empty unless it was published. `robust`: its spelling is
    what it is for, so it is no duplicate of the same prompt well spelled, close as they are."""

    prompt_id: str
    system: str
    turns: str
    last: str
    conversation: str = ""
    answer: str = ""
    row_id: str = ""
    fate: str = ""
    side: str = ""
    robust: bool = False

    @classmethod
    def of(cls, record: Record, fate: str = "") -> Asked:
        system = "\n".join(m.content for m in record.ask if m.role == "system")
        turns = "\n".join([*(m.content for m in record.ask if m.role != "system"), record.input, record.tools])
        published = fate == PUBLISHED
        return cls(
            prompt_id=record.prompt_id,
            system=identity("s", key(system)) if system else "",
            turns=key(turns),
            last=key(record.instruction),
            conversation=record.conversation,
            answer=key(record.response),
            row_id=record.row_id if published else "",
            fate=fate,
            side=record.split if published else "",
            robust=ROBUST in record.tags,
        )

    @property
    def words(self) -> tuple[str, str, str]:
        """All that likeness looks at."""
        return self.system, self.turns, self.last

    def likeness(self, other: Asked) -> float:
        """How alike two prompts are: 0 under different system prompts, else the lesser of the Jaccard
        similarity of the whole conversation and that of its last turn.

        Turns of one session share their beginning, and requests of one product their system prompt;
        neither makes two questions one.
        """
        if self.system != other.system:
            return 0.0
        last = jaccard(self.last, other.last)
        return min(last, jaccard(self.turns, other.turns)) if last else 0.0


def segment(asked: Sequence[Asked]) -> pa.Table:
    """The table that an increment keeps."""
    columns = {n: [getattr(a, n) for a in asked] for n in ASKED.names if n != "bands"}
    flat = pa.array(bands([a.turns for a in asked]).reshape(-1), pa.uint64())
    return pa.table({**columns, "bands": pa.FixedSizeListArray.from_arrays(flat, BANDS)}, schema=ASKED)


def signed(segment: pa.Table) -> np.ndarray:
    """The band hashes of a segment; made anew where it was written in another format."""
    if (segment.schema.metadata or {}).get(b"near_format") != str(FORMAT).encode():
        return bands(segment.column("turns").to_pylist())
    flat = segment.column("bands").combine_chunks()
    return np.asarray(flat.flatten()).reshape(-1, BANDS)


@dataclass(frozen=True)
class Past:
    """All that was asked before, from the segments of the increments that count; part of a step's settings."""

    segments: tuple[Shard, ...] = ()

    def __repr__(self) -> str:
        return f"Past({', '.join(s.sha256 for s in self.segments)})"

    @cached_property
    def tables(self) -> list[pa.Table]:
        return [s.table() for s in self.segments]

    @cached_property
    def rows(self) -> list[Asked]:
        return [Asked(**row) for t in self.tables for row in t.drop_columns(["bands"]).to_pylist()]

    @cached_property
    def bands(self) -> np.ndarray:
        return np.concatenate([signed(t) for t in self.tables] or [np.empty((0, BANDS), dtype=np.uint64)])

    def neighbours(self, new: Sequence[Asked], floor: float) -> list[list[tuple[float, int]]]:
        """For each new prompt what stands before it and is at least `floor` alike, as (likeness, number).

        Numbers count the past first, then the new prompts in their order. The first of the same words is always
        among them, also where so many prompts share a beginning that `candidates` caps their buckets.
        """
        found = candidates(self.bands, bands([a.turns for a in new]))
        everything = [*self.rows, *new]
        first = {a.words: j for j, a in reversed([*enumerate(everything)])}
        near = []
        for i, one in enumerate(new):
            before = {*found.get(i, ()), first[one.words]} - {len(self.rows) + i}
            near.append([(like, j) for j in sorted(before) if (like := one.likeness(everything[j])) >= floor])
        return near


def across(old: Sequence[Asked], new: Sequence[Asked], floor: float) -> list[tuple[float, int, int]]:
    """Pairs of a prompt of `old` and one of `new`, at least `floor` alike, as (likeness, number in old, in new)."""
    found = candidates(bands([a.turns for a in old]), bands([a.turns for a in new]))
    first = {a.words: j for j, a in reversed([*enumerate(old)])}
    alike = []
    for i, one in enumerate(new):
        before = {j for j in found.get(i, ()) if j < len(old)} | ({first[one.words]} if one.words in first else set())
        alike += [(like, j, i) for j in sorted(before) if (like := one.likeness(old[j])) >= floor]
    return alike


NOTHING = Past()
