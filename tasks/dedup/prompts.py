"""One prompt, one answer: near-duplicate prompts become one, within the run and against all that was ever asked.

The order is that of the log (time, then id), and a prompt falls to one that stands before it and is
kept. That is what makes eight weekly runs keep the same prompts as one run over all of them. Its log ids
become roots of the record that is kept, or of the published row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import pyarrow as pa

from tasks.history.asked import NOTHING, Asked, Past
from tasks.record import records
from tasks.record import table as table_of
from tasks.step import MERGED, Drop, Folded

KNOWN = "rejected_before"


@dataclass(frozen=True, slots=True)
class OnePrompt:
    """`threshold` is the likeness (see `Asked.likeness`) from which two prompts are one."""

    threshold: float = 0.7
    past: Past = NOTHING
    shape: ClassVar[Literal["fold"]] = "fold"

    def __call__(self, table: pa.Table) -> Folded:
        numbered = sorted(enumerate(records(table)), key=lambda pair: (pair[1].asked_at, pair[1].roots[0]))
        order = [number for number, _ in numbered]
        in_order = [record for _, record in numbered]
        asked = [Asked.of(r) for r in in_order]
        before = self.past.neighbours(asked, self.threshold)
        robust = [a.robust for a in (*self.past.rows, *asked)]
        kept: dict[int, int] = {}
        dropped: list[tuple[int, Drop]] = []
        out = []
        old = len(self.past.rows)
        for i, record in enumerate(in_order):
            near = [(like, j) for like, j in before[i] if (j < old or j - old in kept) and robust[j] == robust[old + i]]
            if not near:
                kept[i] = len(out)
                out.append(record)
                continue
            like, j = max(near, key=lambda pair: (pair[1] < old, pair[0], -pair[1]))
            detail = f"{like:.2f} alike"
            if j >= old:
                first = out[kept[j - old]]
                out[kept[j - old]] = replace(first, roots=(*first.roots, *record.roots))
                dropped.append((order[i], Drop(MERGED, detail, into=first.prompt_id)))
            elif (known := self.past.rows[j]).row_id:
                dropped.append((order[i], Drop(MERGED, detail, into=known.row_id)))
            else:
                dropped.append((order[i], Drop(KNOWN, f"{detail}, {known.fate}", into=known.prompt_id)))
        return Folded(table_of(out), dropped)
