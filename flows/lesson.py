"""What a small model learns from and is measured on: rows of the teacher as two files, and what came of learning.

    small_models/<digest>/train.jsonl held_out.jsonl     chat messages, as the `openai` export has them
    small_models/<digest>/model/                         whatever the training command leaves there
    small_models/<digest>/learnt.json                    that it came to its end, and what was measured on the way

The digest is that of both files, the command, and the files that the command's arguments name. What stands under it
is not made again. Nothing that is published depends on the folder; it holds what users asked, so only its owner can
read it. A training that was killed finds `model/` as it left it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from tasks.answer.small_model import learnt_by
from tasks.history.dataset import Dataset
from tasks.publish.shapes import openai
from tasks.publish.version import parent_rows
from tasks.publish.version import record as published
from tasks.recipe.small_model import SmallModelAnswers
from tasks.record import Record, stamp
from tasks.shard import sha256, write_json, write_text

FOLDER = "small_models"


@dataclass(frozen=True, slots=True)
class Lesson:
    """The rows to learn from, those that are held out, and the folder of all that belongs to them."""

    folder: Path
    taught: Sequence[Record]
    held_out: Sequence[Record]

    @classmethod
    def of(cls, rows: Sequence[Record], told: SmallModelAnswers, dataset: Path) -> Lesson:
        """Written down; every row's side is a function of its place among the prompt ids."""
        ordered = sorted(rows, key=lambda r: r.prompt_id)
        every = round(1 / told.holdout)
        parts = {"held_out": ordered[::every], "train": [r for i, r in enumerate(ordered) if i % every]}
        texts = {name: "".join(map(line, part)) for name, part in parts.items()}
        digest = hashlib.sha256(json.dumps([texts, *map(content, told.train)]).encode()).hexdigest()[:24]
        folder = dataset / FOLDER / digest
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "model").mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_text(text, folder / f"{name}.jsonl")
        return cls(folder, parts["train"], parts["held_out"])

    @property
    def digest(self) -> str:
        return self.folder.name

    @property
    def facts(self) -> dict[str, str]:
        """What commands are told."""
        files = {name: str(self.folder / f"{name}.jsonl") for name in ("train", "held_out")}
        return {**files, "model": str(self.folder / "model")}

    @property
    def learnt(self) -> dict[str, int] | None:
        """What was measured up to the end of the training; None where it has not come to its end."""
        file = self.folder / "learnt.json"
        return json.loads(file.read_text("utf-8")) if file.is_file() else None

    def end(self, measured: Mapping[str, int]) -> None:
        """The training came to its end; models of other lessons make room."""
        write_json(dict(measured), self.folder / "learnt.json")
        for other in self.folder.parent.iterdir():
            if other != self.folder and other.is_dir():
                shutil.rmtree(other)


def earlier(dataset: Dataset, task_type: str) -> list[Record]:
    """The teacher's rows of a task type in the version in force."""
    sides = parent_rows(dataset.versions / dataset.base if dataset.base else None)
    rows = [row for side in sides.values() for row in side.filter(pc.field("task_type") == task_type).to_pylist()]
    known = (
        replace(
            published(row),
            constraints=tuple(row["constraints"]),
            lineage=tuple(stamp(s) for s in row["lineage"]),
            prompt_tokens=row["prompt_tokens"],
            response_tokens=row["response_tokens"],
        )
        for row in rows
    )
    return [r for r in known if learnt_by(r)]


def line(record: Record) -> str:
    """A row as the model is to be asked and to answer."""
    made: Any = openai(record.row())
    return "".join(f"{json.dumps(example, ensure_ascii=False)}\n" for example in made)


def content(argument: str) -> str:
    """An argument, or the sha256 of the file that it names."""
    file = Path(argument)
    return sha256(file) if file.is_file() else argument
