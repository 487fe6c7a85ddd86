"""Existing datasets: only their prompts are taken, screened like those of users, and answered anew.

Documents 001 and 002: public instruction sets and NLP sets are many, and of them we want the prompts and not the
answers. Alpaca, ShareGPT, messages and prompt columns are known by their shape; NLP sets (classification, entities,
reading comprehension, inference) become prompts through a template, with the gold label kept as the reference.
"""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from tasks.language import detect
from tasks.produce.inputs import Input, inputs
from tasks.produce.readers import STUMBLES
from tasks.produce.readers.found import Unreadable
from tasks.produce.readers.rows import ENDINGS, Row, rows
from tasks.produce.shapes import Asked, asked
from tasks.produce.templates import Template, labels_of, templates
from tasks.recipe import RecipeError
from tasks.record import Kind, Record, Stamp, begun
from tasks.step import Outcome
from tasks.teacher.ask import Teacher

PLACE = "produce.datasets"
Texts = Annotated[  # in YAML a label is often a number
    Mapping[str, str],
    BeforeValidator(lambda given: {str(k): v for k, v in given.items()} if isinstance(given, dict) else given),
]


@dataclass(frozen=True, slots=True)
class Datasets:
    """The prompts of the files.

    `files`: JSON Lines, JSON, CSV, TSV or Parquet; files, folders and globs.
    `template`: the task of an NLP set, as `templates` names it; empty: the columns are known by their shape.
    `templates`: a file of such tasks, each with its columns and wordings.
    `columns`: the task's columns -> what the dataset calls them, where that cannot be guessed.
    `labels`: the dataset's gold values -> what they are called, such as 0: negative; empty: taken from the data.
    `turn`: which user turn of a conversation is the prompt.
    `sample`: rows drawn of each file; 0: all.
    `licence`: that of the prompts: a row carries it beside the teacher's.
    """

    files: tuple[str, ...]
    template: str = ""
    templates: str = "data/templates/nlp.yaml"
    columns: Texts = field(default_factory=dict)
    labels: Texts = field(default_factory=dict)
    turn: Literal["first", "last"] = "first"
    sample: Annotated[int, Field(ge=0)] = 0
    licence: str = ""
    gives: ClassVar[Kind] = "prompts"
    brings: ClassVar[bool] = True
    calls: ClassVar[str] = "none"
    target: ClassVar[None] = None
    shape: ClassVar[Literal["grow"]] = "grow"

    def there(self) -> list[Input]:
        """The files. Raises RecipeError where there is none."""
        return inputs(self.files, ENDINGS, "datasets")

    @property
    def reads(self) -> tuple[str, ...]:
        return (*(str(one.path) for one in self.there()), *([self.templates] if self.template else []))

    async def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]:
        task = self.task()
        for file in self.there():
            made = 0
            labels = dict(self.labels) or (labels_of(task, cells(file.path), self.columns) if task else {})
            for row in drawn(file.path, self.sample, dice):
                outcome = taken(file, row, self.asked(row.cells or {}, task, labels, dice), self.licence)
                made += len(outcome.out)
                yield outcome
            if not made:
                raise nothing(file)

    def asked(
        self, cells: Mapping[str, Any], task: Template | None, labels: Mapping[str, str], dice: Random
    ) -> Asked | None:
        return task.asked(cells, self.columns, labels, dice) if task else asked(cells, self.turn == "last")

    def task(self) -> Template | None:
        """The template that the recipe names. Raises RecipeError where the file does not have it."""
        if not self.template:
            return None
        known = templates(self.templates)
        if self.template not in known:
            near = difflib.get_close_matches(self.template, known, 1)
            hint = f"did you mean {near[0]}" if near else f"there are {', '.join(known)}"
            raise RecipeError(f"{self.templates} has no template {self.template}", f"{PLACE}.template", hint)
        if strange := sorted(self.columns.keys() - known[self.template].columns.keys()):
            hint = f"it has {', '.join(known[self.template].columns)}"
            raise RecipeError(f"{self.template} has no column {strange[0]}", f"{PLACE}.columns", hint)
        return known[self.template]


def read(path: Path) -> Iterator[Row]:
    """The rows of a file, one at a time; where it breaks off, the last one says why."""
    number = 0
    try:
        for row in rows(path):
            number = row.number
            yield row
    except Unreadable as fault:
        yield Row(number + 1, None, f"{fault.reason}, {fault.detail}" if fault.detail else fault.reason)
    except STUMBLES as fault:
        yield Row(number + 1, None, f"broken: {type(fault).__name__}")


def cells(path: Path) -> Iterator[Mapping[str, Any]]:
    """What stands in the rows that can be read."""
    return (row.cells for row in read(path) if row.cells)


def drawn(path: Path, sample: int, dice: Random) -> Iterator[Row]:
    """As many rows as asked for, in their order; all for 0. To draw from them they are counted first, so that no more
    of them than are wanted stand in memory."""
    if not sample:
        return read(path)
    count = sum(1 for _ in read(path))
    chosen = set(dice.sample(range(count), min(sample, count)))
    return (row for number, row in enumerate(read(path)) if number in chosen)


def nothing(file: Input) -> RecipeError:
    """Why a file gives no prompt at all."""
    why, hint = (
        "no prompt in the columns of its rows",
        "name a template, or say with columns what the dataset calls them",
    )
    if reason := next((row.reason for row in read(file.path) if row.reason), ""):
        why, hint = reason, f"expected rows with a prompt each, in {', '.join(ENDINGS)}"
    return RecipeError(f"{file.name} gives no prompt: {why}", PLACE, hint)


def taken(file: Input, row: Row, found: Asked | None, licence: str) -> Outcome:
    """A row's prompt as a record, or what is wrong with the row."""
    place = f"{file.name} row {row.number}"
    asks = found.messages if found else ()
    known = {"input": found.input, "reference": found.reference} if found else {}
    language = detect(asks[-1].content) if asks else ""
    at = Stamp("datasets", detail=place)
    made = begun("datasets", asks, language, f"{file.origin}\0{row.number}", lineage=(at,), licence=licence, **known)
    if found:
        return Outcome().making(made)
    return Outcome().eliminating(
        made, *(("unreadable", f"{place}: {row.reason}") if row.reason else ("no_prompt", place))
    )
