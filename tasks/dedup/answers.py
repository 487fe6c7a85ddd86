"""One answer, not many times: rows whose prompts are close and whose answers are alike, and answers that repeat.

Published rows stay; then the better score, then the id. Equal answers to prompts that are not close are
no duplicates (`positive` is right more than once), but the share of any one answer text is capped
(document 002: a thousand rows with one answer teach that answer).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import pyarrow as pa

from tasks.history.asked import NOTHING, PUBLISHED, Asked, Past
from tasks.history.near import jaccard
from tasks.record import Record, records
from tasks.record import table as table_of
from tasks.step import MERGED, Drop, Folded

REPEATED = "answer_repeated"


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
        rows = records(table)
        order = sorted(range(len(rows)), key=lambda i: (-(rows[i].score("judge") or 0), rows[i].row_id))
        asked = [Asked.of(rows[i]) for i in order]
        before = self.past.neighbours(asked, self.close)
        published = [a for a in self.past.rows if a.fate == PUBLISHED]
        texts = Counter(a.answer for a in published)
        cap = max(self.max_rows, int(self.max_share * (len(published) + len(rows))))
        old = len(self.past.rows)
        everything = [*self.past.rows, *asked]
        kept: dict[int, Record] = {}
        dropped: list[tuple[int, Drop]] = []
        for i, one in enumerate(asked):
            near = [(j, everything[j]) for _, j in before[i]]
            known = [(j, a) for j, a in near if a.fate == PUBLISHED or j - old in kept]
            like = [(j, a) for j, a in known if a.robust == one.robust and a.answer]
            alike = [(j, a) for j, a in like if jaccard(a.answer, one.answer) >= self.threshold]
            if alike:
                j, twin = min(alike, key=lambda pair: pair[0])
                if j >= old:
                    first = kept[j - old]
                    kept[j - old] = replace(first, roots=(*first.roots, *rows[order[i]].roots))
                dropped.append(
                    (order[i], Drop(MERGED, "close prompts, like answers", into=twin.row_id or twin.prompt_id))
                )
            elif texts[one.answer] >= cap:
                dropped.append((order[i], Drop(REPEATED, f"{texts[one.answer]} rows answer so: {one.answer[:80]}")))
            else:
                texts[one.answer] += 1
                kept[i] = rows[order[i]]
        stay = {order[i]: record for i, record in kept.items()}
        return Folded(table_of(stay[i] for i in sorted(stay)), dropped)
