"""One prompt, one answer: near-duplicate prompts become one, within the run and against all that was ever asked.

The order is that of the log (time, then id), with what techniques made after it, and a prompt falls to
one that stands before it and is kept. That is what makes eight weekly runs keep the same prompts as one
run over all of them. Its log ids become roots of the record that is kept, or of the published row. Only a prompt that
was made of another, to ask more or in another form, is no near-duplicate of it, unless they are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import pyarrow as pa

from tasks.history.asked import Asked
from tasks.history.past import NOTHING, Neighbours, Past
from tasks.schema import records
from tasks.step import MERGED, Drop, Folded
from tasks.unchanged import rewritten

KNOWN = "rejected_before"


@dataclass(frozen=True, slots=True)
class OnePrompt:
    """`threshold` is the likeness (see `Asked.likeness`) from which two prompts are one."""

    threshold: float = 0.7
    past: Past = NOTHING
    shape: ClassVar[Literal["fold"]] = "fold"

    def __call__(self, table: pa.Table) -> Folded:
        rows = records(table)
        age = [len(r.lineage) if r.made else 0 for r in rows]  # what was made of another stands after it
        order = sorted(range(len(rows)), key=lambda i: (age[i], rows[i].asked_at, rows[i].roots[0]))
        in_order = [rows[i] for i in order]
        asked = [Asked.of(r) for r in in_order]
        before = Neighbours(self.past, asked, self.threshold)
        kept: dict[int, int] = {}
        dropped: list[tuple[int, Drop]] = []
        out = []
        sources: list[int] = []
        old = self.past.size
        for i, record in enumerate(in_order):
            made_of = {parent for stamp in record.lineage for parent in stamp.parents}
            near = [n for n in before.of(i) if n.asked.robust == asked[i].robust]
            near = [n for n in near if n.like == 1 or n.asked.prompt_id not in made_of]
            if not near:
                kept[before.keep(i)] = len(out)
                out.append(record)
                sources.append(order[i])
                continue
            like, number, twin = max(near, key=lambda n: (n.number < old, n.like, -n.number))
            detail = f"{like:.2f} alike"
            if number >= old:
                first = out[kept[number]]
                out[kept[number]] = replace(first, roots=(*first.roots, *record.roots))
                dropped.append((order[i], Drop(MERGED, detail, into=twin.prompt_id)))
            elif twin.row_id:
                dropped.append((order[i], Drop(MERGED, detail, into=twin.row_id)))
            else:
                dropped.append((order[i], Drop(KNOWN, f"{detail}, {twin.fate}", into=twin.prompt_id)))
        return Folded(rewritten(out, table, rows, sources), dropped, before.noted)
