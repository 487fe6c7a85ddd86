"""Train, validation or test: by cluster, and for ever.

A row goes where the rows go that it is close to, or shares a conversation with; the first of a cluster
goes where the hash of its prompt says. A side once published never changes, and a row that is close to
rows of different sides would carry test into training, so it is dropped as `straddles_split`.

What is close is found by the bands of `history/near.py`, which are made for near-duplicates: of pairs 0.7 to
0.8 alike they find 98 %, of those between 0.5 and 0.6 43 % (`make bench`, on the samples with edits).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from tasks.history.asked import Asked
from tasks.history.past import NOTHING, Neighbours, Past
from tasks.schema import records
from tasks.step import Drop, Folded
from tasks.unchanged import rewritten

STRADDLES = "straddles_split"


@dataclass(frozen=True, slots=True)
class Split:
    """Rows with their side; `close` is the likeness from which two prompts must not be apart."""

    validation: float = 0.05
    test: float = 0.05
    close: float = 0.5
    past: Past = NOTHING
    shape: ClassVar[Literal["fold"]] = "fold"

    def __call__(self, table: pa.Table) -> Folded:
        rows = records(table)
        order = sorted(range(len(rows)), key=lambda i: (rows[i].asked_at, rows[i].roots[0]))
        asked = [Asked.of(rows[i]) for i in order]
        before = Neighbours(self.past, asked, self.close)
        sessions: dict[str, set[str]] = defaultdict(set)
        known = self.past.having("conversation", {a.conversation for a in asked})
        for conversation, side in zip(*(known.column(c).to_pylist() for c in ("conversation", "side")), strict=True):
            sessions[conversation].add(side)
        sides: dict[int, str] = {}
        dropped: list[tuple[int, Drop]] = []
        for i, one in enumerate(asked):
            session = sessions[one.conversation or one.prompt_id]  # what a technique makes of a prompt has that session
            near = {sides.get(n.number, n.asked.side) for n in before.of(i)} - {""} | session
            if len(near) > 1:
                dropped.append((order[i], Drop(STRADDLES, f"close to rows of {' and '.join(sorted(near))}")))
                continue
            side = near.pop() if near else self.drawn(one.prompt_id)
            sides[before.keep(i)] = side
            sessions[one.conversation or one.prompt_id].add(side)
        placed = {order[number - self.past.size]: side for number, side in sides.items()}
        stay = sorted(placed)
        sided = [rows[i].knowing(split=placed[i]) for i in stay]
        return Folded(rewritten(sided, table, rows, stay), dropped, before.noted)

    def drawn(self, prompt_id: str) -> str:
        """The side of a cluster that begins: the same for the same prompt in every run."""
        at = int(hashlib.sha256(prompt_id.encode()).hexdigest()[:8], 16) / 2**32
        return "test" if at < self.test else "validation" if at < self.test + self.validation else "train"
