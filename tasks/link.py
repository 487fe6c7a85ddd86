"""A technique as a link of a chain: which records it takes; all others pass it by."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from tasks.record import MADE, Kind
from tasks.step import Step

LOGS = "logs"  # who made what users asked
TOLD = (  # all that `Only` looks at, of structs the fields alone
    "messages.list.element.role",
    "messages.list.element.trained",
    *("task_type", "language", "roots", "prompt_id"),
    "lineage.list.element.step",
)
LABELS = ("label", "small_model")  # who says of a record what it is


@dataclass(frozen=True, slots=True)
class Only:
    """Which records a link takes: those of its `kind`, and of these what the recipe says.

    `task_types`: task types of the taxonomy; empty: all.
    `languages`: those of the records; empty: all.
    `after`: techniques that made them, or `logs` for what users asked; empty: all.
    `share`: share of them, drawn by the record's id, so that a rerun draws the same.
    """

    kind: Kind = "prompts"
    task_types: tuple[str, ...] = ()
    languages: tuple[Literal["en", "zh"], ...] = ()
    after: tuple[str, ...] = ()
    share: Annotated[float, Field(ge=0, le=1)] = 1.0

    def mask(self, rows: pa.Table) -> np.ndarray:
        """True for each row that it takes."""
        taken = kinds(rows) == self.kind
        for column, wanted in (("task_type", self.task_types), ("language", self.languages)):
            if wanted:
                taken &= np.isin(rows.column(column).to_numpy(), wanted)
        if self.after:
            taken &= np.isin(makers(rows), self.after)
        if self.share < 1:
            ids = rows.column("prompt_id").to_pylist()
            taken &= np.array([int(i[2:10], 16) < self.share * 2**32 for i in ids], dtype=bool)
        return taken


def kinds(rows: pa.Table) -> np.ndarray:
    """What each row is: see `Record.kind`."""
    said = zip(ends(rows.column("messages"), "role"), ends(rows.column("messages"), "trained"), strict=True)
    found = ["passages" if r is None else "rows" if r == "assistant" and trained else "prompts" for r, trained in said]
    return np.array(found, dtype="U8")


def makers(rows: pa.Table) -> np.ndarray:
    """The technique that made each row, by the last line of its lineage that is no label's; `logs` for what users
    asked."""
    both = zip(rows.column("roots").to_pylist(), steps(rows.column("lineage")), strict=True)
    made = [step if step and roots[0].startswith(MADE) else LOGS for roots, step in both]
    return np.array(made, dtype="U64")


def steps(lineages: pa.ChunkedArray) -> list[str]:
    """The last technique in each lineage that made or answered a record: a label only says what it is."""
    found: list[str] = []
    for chunk in lineages.chunks:
        said = [step.split("/")[0] for step in chunk.values.field("step").to_pylist()]
        bounds = pairwise(chunk.offsets.to_pylist())
        found += [next((step for step in reversed(said[a:b]) if step not in LABELS), "") for a, b in bounds]
    return found


def ends(lists: pa.ChunkedArray, field: str) -> list[Any]:
    """A field of the last struct in each list; None for an empty list. Columnar: texts are not touched."""
    found: list[Any] = []
    for chunk in lists.chunks:
        offsets = chunk.offsets.to_numpy()
        last = pa.array(offsets[1:] - 1, mask=offsets[1:] == offsets[:-1])
        found += chunk.values.field(field).take(last).to_pylist()
    return found


@dataclass(frozen=True, slots=True)
class Linked:
    """A technique's step, what it is called in the recipe, its stage, and which records it takes."""

    step: Step
    called: str
    stage: str
    only: Only = Only()

    def __call__(self, *given: Any) -> Any:
        return self.step(*given)

    def __getattr__(self, what: str) -> Any:
        """What the step itself declares: its shape, role, prompts, target."""
        if what.startswith("__"):
            raise AttributeError(what)
        return getattr(self.step, what)


AnyStep = Step | Linked


def inner(step: AnyStep) -> Step:
    """The step itself."""
    return step.step if isinstance(step, Linked) else step
