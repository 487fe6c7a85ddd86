"""Write a version's rows in the shapes of `shapes.py`, a file for each side of the split.

    exports/openai/train.jsonl validation.jsonl test.jsonl
    exports/alpaca/train.json …                                 one array, as its readers expect

Rows go through one at a time, so a version of a million rows needs no room for them. The rows of the Parquet files
in their order give the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow.parquet as pq

from tasks.publish.shapes import SHAPES
from tasks.publish.version import SIDES
from tasks.schema import EARLIER, todays
from tasks.shard import placed, sha256

FOLDER = "exports"
ARRAYS = ("alpaca",)
BATCH = 1000
COLUMNS = ["messages", "input", "tools", "rejected_answers", *EARLIER]
BREAKS = {ord(c): f"\\u{ord(c):04x}" for c in "\u0085\u2028\u2029"}  # some readers take these for ends of lines


@dataclass
class Sheet:
    """One file under way."""

    shape: str
    out: BinaryIO
    examples: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, row: dict[str, Any]) -> None:
        made = SHAPES[self.shape](row)
        if isinstance(made, str):
            self.left_out[made] += 1
            return
        for example in made:
            text = json.dumps(example, ensure_ascii=False, allow_nan=False).translate(BREAKS)
            between = ("," if self.examples else "[") + "\n" if self.shape in ARRAYS else "\n" * bool(self.examples)
            self.out.write((between + text).encode())
            self.examples += 1

    def end(self) -> None:
        self.out.write(b"\n]\n" if self.shape in ARRAYS else b"\n")


def export(version: Path, to: Path, shapes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Write a version's rows under `to` in each shape that has any; gives shape -> its files, and the rows left out by
    reason.

    Raises OSError where a file cannot be written; what stands is whole.
    """
    made: dict[str, dict[str, Any]] = {s: {"files": [], "left_out": {}} for s in SHAPES if s in shapes}
    for side in SIDES if made else ():
        files = sorted(version.glob(f"data/chat/{side}-*.parquet"))
        for sheet, path in written(files, to, [*made], side) if files else ():
            kept, left = made[sheet.shape], sheet.left_out
            kept["left_out"] = dict(sorted((Counter(kept["left_out"]) + left).items()))
            if sheet.examples:
                facts = {"split": side, "bytes": path.stat().st_size, "rows": sheet.examples, "sha256": sha256(path)}
                kept["files"].append({"path": path.relative_to(to).as_posix()} | facts)
            else:
                path.unlink()  # a loader takes an empty file for a broken one
    there = {shape: kept for shape, kept in made.items() if kept["files"] or kept["left_out"]}
    for folder in (to / FOLDER / shape for shape in made.keys() - there.keys()):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return there


def written(files: list[Path], to: Path, shapes: list[str], side: str) -> list[tuple[Sheet, Path]]:
    """The files of one side of the split, all shapes in one reading."""
    paths = {s: to / FOLDER / s / f"{side}.{'json' if s in ARRAYS else 'jsonl'}" for s in shapes}
    with ExitStack() as stack:
        sheets = [Sheet(s, stack.enter_context(placed(paths[s]))) for s in shapes]
        for row in rows(files):
            for sheet in sheets:
                sheet.add(row)
        for sheet in sheets:
            sheet.end()
    return [(sheet, paths[sheet.shape]) for sheet in sheets]


def rows(files: list[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(BATCH, columns=COLUMNS):
            yield from batch.rename_columns(todays(batch.schema.names)).to_pylist()
