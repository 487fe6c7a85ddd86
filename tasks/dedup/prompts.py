"""One prompt, one answer: near-duplicate prompts become one, within the run and against all that was ever asked.

The order is that of the log (time, then id), with what techniques made after it, and a prompt falls to
one that stands before it and is kept. That is what makes eight weekly runs keep the same prompts as one
run over all of them. Its log ids become roots of the record that is kept, or of the published row. Only a prompt that
was made of another, to ask more or in another form, is no near-duplicate of it, unless they are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

import pyarrow as pa

from tasks.chosen import Chosen
from tasks.history.asked import Asked
from tasks.history.fresh import Fresh
from tasks.history.past import NOTHING, Near, Neighbours, Past
from tasks.schema import streamed
from tasks.step import MERGED, Drop, Folded

KNOWN = "rejected_before"


@dataclass(slots=True)
class Log:
    """What is known of the rows beside their text, by their numbers."""

    ages: list[tuple[int, datetime, str]] = field(default_factory=list)  # what was made of another stands after it
    roots: list[tuple[str, ...]] = field(default_factory=list)
    made_of: dict[int, set[str]] = field(default_factory=dict)

    def read(self, table: pa.Table) -> Iterator[Asked]:
        """What is asked in each row, noting the rest."""
        for number, record in enumerate(streamed(table)):
            self.ages.append((len(record.lineage) if record.made else 0, record.asked_at, record.roots[0]))
            self.roots.append(record.roots)
            if parents := {parent for stamp in record.lineage for parent in stamp.parents}:
                self.made_of[number] = parents
            yield Asked.of(record)


@dataclass(frozen=True, slots=True)
class OnePrompt:
    """`threshold` is the likeness (see `Asked.likeness`) from which two prompts are one."""

    threshold: float = 0.7
    past: Past = NOTHING
    shape: ClassVar[Literal["fold"]] = "fold"

    def __call__(self, table: pa.Table) -> Folded:
        log = Log()
        asked = Fresh.of(log.read(table), self.past.folder)
        order = sorted(range(len(asked)), key=log.ages.__getitem__)
        before = Neighbours(self.past, asked.ordered(order), self.threshold)
        kept: list[int] = []
        roots: dict[int, tuple[str, ...]] = {}
        dropped: list[tuple[int, Drop]] = []
        for i, row in enumerate(order):
            near = self.near(before, i, log.made_of.get(row, set()))
            if not near:
                before.keep(i)
                kept.append(row)
                continue
            twin = max(near, key=lambda n: (n.number < self.past.size, n.like, -n.number))
            if twin.number >= self.past.size:
                first = order[twin.number - self.past.size]
                roots[first] = (*roots.get(first, log.roots[first]), *log.roots[row])
            dropped.append((row, self.fallen(twin)))
        return Folded(Chosen(table, kept, {"roots": roots}), dropped, before.noted)

    def near(self, before: Neighbours, i: int, made_of: set[str]) -> list[Near]:
        """What the prompt `i` may fall to."""
        robust = before.new[i].robust
        near = [n for n in before.of(i) if n.asked.robust == robust]
        return [n for n in near if n.like == 1 or n.asked.prompt_id not in made_of]

    def fallen(self, twin: Near) -> Drop:
        """What becomes of a prompt because of another one."""
        detail, into = f"{twin.like:.2f} alike", twin.asked
        if twin.number >= self.past.size:
            return Drop(MERGED, detail, into=into.prompt_id)
        if into.row_id:
            return Drop(MERGED, detail, into=into.row_id)
        return Drop(KNOWN, f"{detail}, {into.fate}", into=into.prompt_id)
