"""For a plan: what a small model will answer for nothing, so that no stage reckons with the teacher's answer to it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from tasks.answer.small_model import ANSWERED
from tasks.link import Only
from tasks.record import Kind
from tasks.schema import records
from tasks.schema import table as of_records
from tasks.step import Folded, dice
from tasks.teacher.invented import words

LENGTH = 130  # tokens of an answer that nobody knows yet, as a plan has it for a teacher's


@dataclass(frozen=True, slots=True)
class Spared:
    """The prompts of a task type as rows, but for the first `taught`, which the teacher answers; `answers` are some of
    those that it gave before."""

    task_type: str
    taught: int
    answers: tuple[str, ...] = ()
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "rows"
    shape: ClassVar[Literal["fold"]] = "fold"

    def __call__(self, table: pa.Table) -> Folded:
        mine = Only(task_types=(self.task_type,)).mask(table) & (table.column("tools").to_numpy() == "")
        ids = table.column("prompt_id").to_pylist()
        spared = sorted(np.flatnonzero(mine).tolist(), key=ids.__getitem__)[self.taught :]
        rest = np.ones(table.num_rows, dtype=bool)
        rest[spared] = False
        rows = [
            r.answering(self.said(r.language, r.prompt_id)) for r in records(table.take(pa.array(spared, pa.int64())))
        ]
        return Folded(pa.concat_tables([table.filter(pa.array(rest)), of_records(rows)]), (), {ANSWERED: len(rows)})

    def said(self, language: str, prompt_id: str) -> str:
        chance = dice(0, "spared", prompt_id)
        if self.answers:
            return chance.choice(self.answers)
        return words(LENGTH, Random(prompt_id), language)
