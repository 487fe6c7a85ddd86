"""Prompts that hold a benchmark question are left out: a model that was trained on them measures nothing.

A prompt is contaminated where a whole turn is a text of a benchmark (six words or more), or shares 13 words or 30
Chinese characters in a row with one (`windows.py`). Only prompts are looked at (what the system, the user and
tools said, and the input that goes with it); what the teacher answers is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa

from tasks.mine.benchmark import questions
from tasks.mine.windows import windows
from tasks.recipe import located
from tasks.shard import sha256
from tasks.step import Sieved


@dataclass(frozen=True, slots=True)
class Decontaminate:
    """`benchmarks` are files of questions; the detail of a drop names the file and the line."""

    benchmarks: tuple[str, ...] = ()
    shape: ClassVar[Literal["table"]] = "table"

    @property
    def reads(self) -> tuple[str, ...]:
        return self.benchmarks

    def __call__(self, table: pa.Table) -> Sieved:
        known = index(tuple((file, sha256(located(file))) for file in self.benchmarks))
        detail: list[str | None] = [None] * table.num_rows
        turns = zip(table.column("messages").to_pylist(), table.column("input").to_pylist(), strict=True)
        said = [(i, text) for i, (messages, beside) in enumerate(turns) for text in asked(messages, beside)]
        for numbers, hashes in windows([text for _, text in said]):
            for number, question in known.found(numbers, hashes):
                detail[said[number][0]] = detail[said[number][0]] or known.where[question]
        reason = pa.array([where and "contaminated" for where in detail], pa.string())
        return Sieved(table, reason, pa.array(detail, pa.string()))


def asked(messages: list[dict[str, Any]], beside: str) -> list[str]:
    return [text for text in (*(m["content"] for m in messages if m["role"] != "assistant"), beside) if text]


@dataclass(frozen=True, slots=True)
class Index:
    """The hashes of all windows of the benchmarks, ascending, and for each the number of its place in `where`."""

    hashes: np.ndarray
    question: np.ndarray
    where: list[str]

    def found(self, numbers: np.ndarray, hashes: np.ndarray) -> list[tuple[int, int]]:
        """(number of the text, number of the question) of the first window of each text that is known."""
        if not len(self.hashes):
            return []
        order = np.argsort(hashes, kind="stable")  # neighbours are looked up near each other: five times as fast
        at = np.searchsorted(self.hashes, hashes[order]).clip(max=len(self.hashes) - 1)
        hit = self.hashes[at] == hashes[order]
        window, at = order[hit], at[hit]
        earliest = np.lexsort((window, numbers[window]))
        texts, first = np.unique(numbers[window[earliest]], return_index=True)
        return list(zip(texts.tolist(), self.question[at[earliest[first]]].tolist(), strict=True))


@lru_cache(maxsize=1)
def index(files: tuple[tuple[str, str], ...]) -> Index:
    """The windows of all files, each by its path and the sha256 of what is in it."""
    read = [(f"{file} line {line}", text) for file, _ in files for line, text in questions(file)]
    parts = list(windows([text for _, text in read]))
    if not parts:
        return Index(np.empty(0, np.uint64), np.empty(0, np.int64), [])
    numbers, hashes = (np.concatenate(column) for column in zip(*parts, strict=True))
    unique, first = np.unique(hashes, return_index=True)
    return Index(unique, numbers[first], [where for where, _ in read])
