"""Compare two versions: which rows came, which went, and of which the logs or the labels grew.

A row's id is the hash of what is trained on, so rows are the same exactly when their ids are. What can change
about a row is what stands beside it: its roots, labels, scores, side.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tasks.publish.version import SIDES

BESIDE = ("language", "task_type", "subtype", "domain", "tags", "judge_score", "teacher", "licence")
COLUMNS = ("row_id", "prompt_id", "roots", *BESIDE)


@dataclass(frozen=True, slots=True)
class Difference:
    """From one version to another. `grown` is row_id -> log ids that merged into it, `changed` row_id -> columns."""

    added: tuple[dict[str, Any], ...]
    removed: tuple[dict[str, Any], ...]
    grown: dict[str, list[str]]
    changed: dict[str, list[str]]
    same: int
    rows: dict[str, dict[str, Any]]  # what stands beside the text of each row of the later version

    @property
    def reanswered(self) -> list[str]:
        """Prompts that have another answer now."""
        return sorted({r["prompt_id"] for r in self.removed} & {r["prompt_id"] for r in self.added})

    def plain(self) -> dict[str, Any]:
        rows = {"added": self.added, "removed": self.removed}
        counts = {
            what: {"rows": len(of), "task_types": counted(of, "task_type"), "languages": counted(of, "language")}
            for what, of in rows.items()
        }
        ids = {what: {"row_ids": sorted(r["row_id"] for r in of)} | counts[what] for what, of in rows.items()}
        return {**ids, "grown": self.grown, "changed": self.changed, "reanswered": self.reanswered, "same": self.same}

    def summary(self) -> dict[str, Any]:
        """How many rows came, went and changed, by language, task type and side of the split."""
        changed = [self.rows[i] for i in self.changed]
        parts = {"added": self.added, "removed": self.removed, "changed": tuple(changed)}
        by = ("language", "task_type", "split")
        counts = {what: {"rows": len(of)} | {c: counted(of, c) for c in by} for what, of in parts.items()}
        return {**counts, "grown": len(self.grown), "reanswered": len(self.reanswered), "same": self.same}


def compare(before: Path | None, after: Path) -> Difference:
    """What turned the version in one folder, or none, into that in another."""
    old, new = beside(before) if before else {}, beside(after)
    both = [i for i in new if i in old]
    grown = {i: sorted({*new[i]["roots"]} - {*old[i]["roots"]}) for i in both}
    lost = {i for i in both if {*old[i]["roots"]} - {*new[i]["roots"]}}
    changed = {i: [c for c in (*BESIDE, "split") if new[i][c] != old[i][c]] + ["roots"] * (i in lost) for i in both}
    return Difference(
        added=tuple(r for i, r in new.items() if i not in old),
        removed=tuple(r for i, r in old.items() if i not in new),
        grown={i: ids for i, ids in sorted(grown.items()) if ids},
        changed={i: columns for i, columns in sorted(changed.items()) if columns},
        same=sum(not grown[i] and not changed[i] for i in both),
        rows=new,
    )


def beside(version: Path) -> dict[str, dict[str, Any]]:
    """What stands beside the text of each row, by row_id; the texts themselves stay on disk."""
    files = [(side, f) for side in SIDES for f in sorted(version.glob(f"data/chat/{side}-*.parquet"))]
    rows = ((side, row) for side, f in files for row in pq.read_table(f, columns=list(COLUMNS)).to_pylist())
    return {row["row_id"]: row | {"split": side} for side, row in rows}


def counted(rows: tuple[dict[str, Any], ...], column: str) -> dict[str, int]:
    """Value -> rows, the most frequent first."""
    found = Counter(r[column] for r in rows)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
