"""One answer, not many times: rows whose prompts are close and whose answers are alike, and answers that repeat.

Published rows stay; then the better score, then the id. Equal answers to prompts that are not close are
no duplicates (`positive` is right more than once), but the share of any one answer text is capped
(document 002: a thousand rows with one answer teach that answer).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pyarrow as pa

from tasks.chosen import Chosen
from tasks.history.asked import PUBLISHED, Asked, digest
from tasks.history.fresh import Fresh
from tasks.history.near import jaccard
from tasks.history.past import NOTHING, Near, Neighbours, Past
from tasks.schema import streamed
from tasks.step import MERGED, Drop, Folded

REPEATED = "answer_repeated"


@dataclass(slots=True)
class Answers:
    """What is known of the rows beside their text, by their numbers."""

    ranks: list[tuple[float, str]] = field(default_factory=list)  # the better score first, then the id
    roots: list[tuple[str, ...]] = field(default_factory=list)

    def read(self, table: pa.Table) -> Iterator[Asked]:
        """What is asked and answered in each row, noting the rest."""
        ids = table.column("row_id").to_pylist()
        for row_id, record in zip(ids, streamed(table), strict=True):
            self.ranks.append((-(record.score("judge") or 0), row_id))
            self.roots.append(record.roots)
            yield Asked.of(record)


@dataclass(frozen=True, slots=True)
class OneAnswer:
    """`close` is the likeness of prompts from which like answers are one; a text may fill `max_share` of all
    rows, or `max_rows` where that is more."""

    threshold: float = 0.7
    close: float = 0.5
    max_share: float = 0.02
    max_rows: int = 20
    past: Past = NOTHING
    shape: ClassVar[Literal["fold"]] = "fold"

    def __call__(self, table: pa.Table) -> Folded:
        rows = Answers()
        asked = Fresh.of(rows.read(table), self.past.folder)
        order = sorted(range(len(asked)), key=rows.ranks.__getitem__)
        before = Neighbours(self.past, asked.ordered(order), self.close)
        times = self.times(asked)
        cap = max(self.max_rows, int(self.max_share * (self.past.published + len(order))))
        kept: list[int] = []
        roots: dict[int, tuple[str, ...]] = {}
        dropped: list[tuple[int, Drop]] = []
        for i, row in enumerate(order):
            one = before.new[i]
            text = digest("answer", one.answer)
            if twin := self.twin(before, i):
                if twin.number >= self.past.size:
                    first = order[twin.number - self.past.size]
                    roots[first] = (*roots.get(first, rows.roots[first]), *rows.roots[row])
                into = twin.asked.row_id or twin.asked.prompt_id
                dropped.append((row, Drop(MERGED, "close prompts, like answers", into=into)))
            elif times[text] >= cap:
                dropped.append((row, Drop(REPEATED, f"{times[text]} rows answer so: {one.answer[:80]}")))
            else:
                times[text] += 1
                before.keep(i)
                kept.append(row)
        return Folded(Chosen(table, sorted(kept), {"roots": roots}), dropped, before.noted)

    def times(self, asked: Fresh) -> Counter[int]:
        """How many published rows have an answer, by its digest, of the answers that are given now."""
        known = self.past.having("answer", (one.answer for one in asked))
        return Counter(digest("answer", text) for text in known.column("answer").to_pylist())

    def twin(self, before: Neighbours, i: int) -> Near | None:
        """The row that stands before `i` and says the same to a close prompt."""
        one = before.new[i]
        known = (n for n in before.of(i) if n.number >= self.past.size or n.asked.fate == PUBLISHED)
        like = (n for n in known if n.asked.robust == one.robust)
        return next((n for n in like if jaccard(n.asked.answer, one.answer) >= self.threshold), None)
