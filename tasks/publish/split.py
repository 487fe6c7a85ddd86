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
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

import pyarrow as pa

from tasks.chosen import Chosen
from tasks.history.asked import Asked
from tasks.history.fresh import Fresh
from tasks.history.past import NOTHING, Neighbours, Past
from tasks.schema import streamed
from tasks.step import Drop, Folded

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
        ages: list[tuple[datetime, str]] = []

        def read() -> Iterator[Asked]:
            for record in streamed(table):
                ages.append((record.asked_at, record.roots[0]))
                yield Asked.of(record)

        asked = Fresh.of(read(), self.past.folder)
        order = sorted(range(len(asked)), key=ages.__getitem__)
        before = Neighbours(self.past, asked.ordered(order), self.close)
        sessions = self.sessions(asked)
        sides: dict[int, str] = {}
        dropped: list[tuple[int, Drop]] = []
        for i, row in enumerate(order):
            one = before.new[i]
            session = sessions[one.conversation or one.prompt_id]  # what a technique makes of a prompt has that session
            twins = ((n.number - self.past.size, n.asked.side) for n in before.of(i))
            near = {side if number < 0 else sides[order[number]] for number, side in twins} - {""} | session
            if len(near) > 1:
                dropped.append((row, Drop(STRADDLES, f"close to rows of {' and '.join(sorted(near))}")))
                continue
            sides[row] = near.pop() if near else self.drawn(one.prompt_id)
            session.add(sides[row])
            before.keep(i)
        return Folded(Chosen(table, sorted(sides), {"split": sides}), dropped, before.noted)

    def sessions(self, asked: Fresh) -> defaultdict[str, set[str]]:
        """Conversation -> the sides on which rows of it were published, of those that go on now."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        known = self.past.having("conversation", (one.conversation for one in asked))
        for conversation, side in zip(*(known.column(c).to_pylist() for c in ("conversation", "side")), strict=True):
            found[conversation].add(side)
        return found

    def drawn(self, prompt_id: str) -> str:
        """The side of a cluster that begins: the same for the same prompt in every run."""
        at = int(hashlib.sha256(prompt_id.encode()).hexdigest()[:8], 16) / 2**32
        return "test" if at < self.test else "validation" if at < self.test + self.validation else "train"
