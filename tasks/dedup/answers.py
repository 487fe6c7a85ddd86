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

from tasks.history.asked import PUBLISHED, Asked
from tasks.history.near import jaccard
from tasks.history.past import NOTHING, Neighbours, Past
from tasks.record import Record
from tasks.schema import records
from tasks.step import MERGED, Drop, Folded
from tasks.unchanged import rewritten

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
        ids = table.column("row_id").to_pylist()
        order = sorted(range(len(rows)), key=lambda i: (-(rows[i].score("judge") or 0), ids[i]))
        asked = [Asked.of(rows[i]) for i in order]
        before = Neighbours(self.past, asked, self.close)
        texts = Counter(self.past.having("answer", {a.answer for a in asked}).column("answer").to_pylist())
        cap = max(self.max_rows, int(self.max_share * (self.past.published + len(rows))))
        old = self.past.size
        kept: dict[int, Record] = {}
        dropped: list[tuple[int, Drop]] = []
        for i, one in enumerate(asked):
            known = [n for n in before.of(i) if n.number >= old or n.asked.fate == PUBLISHED]
            like = (n for n in known if n.asked.robust == one.robust)
            twin = next((n for n in like if jaccard(n.asked.answer, one.answer) >= self.threshold), None)
            if twin:
                if first := kept.get(twin.number):
                    kept[twin.number] = replace(first, roots=(*first.roots, *rows[order[i]].roots))
                into = twin.asked.row_id or twin.asked.prompt_id
                dropped.append((order[i], Drop(MERGED, "close prompts, like answers", into=into)))
            elif texts[one.answer] >= cap:
                dropped.append((order[i], Drop(REPEATED, f"{texts[one.answer]} rows answer so: {one.answer[:80]}")))
            else:
                texts[one.answer] += 1
                kept[before.keep(i)] = rows[order[i]]
        stay = {order[number - old]: record for number, record in kept.items()}
        left = sorted(stay)
        return Folded(rewritten([stay[i] for i in left], table, rows, left), dropped, before.noted)
