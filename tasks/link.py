"""A technique as a link of a chain: which records it takes; all others pass it by."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from tasks.record import MADE, Kind
from tasks.step import Step

LOGS = "logs"  # who made what users asked
TOLD = (  # all that `Only` looks at, of structs the fields alone
    "messages.list.element.role",
    "messages.list.element.trained",
    *("task_type", "language", "roots", "prompt_id"),
    "lineage.list.element.step",
    "lineage.list.element.parents",
)
LABELS = ("label", "small_model")  # who says of a record what it is


@dataclass(frozen=True, slots=True)
class Only:
    """Which records a link takes: those of its `kind`, and of these what the recipe says.

    `task_types`: task types of the taxonomy; empty: all.
    `languages`: those of the records; empty: all.
    `after`: techniques that made or answered them, or `logs` for what users asked; empty: all.
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
            wanted = set(self.after)
            taken &= np.array([not wanted.isdisjoint(by) for by in makers(rows)], dtype=bool)
        if self.share < 1:
            ids = rows.column("prompt_id").to_pylist()
            taken &= np.array([int(i[2:10], 16) < self.share * 2**32 for i in ids], dtype=bool)
        return taken


def kinds(rows: pa.Table) -> np.ndarray:
    """What each row is: see `Record.kind`."""
    said = zip(ends(rows.column("messages"), "role"), ends(rows.column("messages"), "trained"), strict=True)
    found = ["passages" if r is None else "rows" if r == "assistant" and trained else "prompts" for r, trained in said]
    return np.array(found, dtype="U8")


def makers(rows: pa.Table) -> list[set[str]]:
    """Who made each row: the technique that asked what it asks, or `logs`, and those that have answered it since.

    A record that stands on others names them as the parents of the line that made it, and a label makes nothing.
    """
    both = zip(rows.column("roots").to_pylist(), lines(rows.column("lineage")), strict=True)
    return [set(steps) if roots[0].startswith(MADE) and steps else {LOGS, *steps} for roots, steps in both]


def lines(lineages: pa.ChunkedArray) -> list[list[str]]:
    """The techniques of each lineage from the one on that made the record."""
    found: list[list[str]] = []
    for chunk in lineages.chunks:
        said = [step.split("/")[0] for step in chunk.values.field("step").to_pylist()]
        made = pc.greater(pc.list_value_length(chunk.values.field("parents")), 0).to_pylist()  # pyright: ignore[reportAttributeAccessIssue]
        for a, b in pairwise(chunk.offsets.to_pylist()):
            first = next((i for i in reversed(range(a, b)) if made[i]), a)
            found.append([step for step in said[first:b] if step not in LABELS])
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
    """A technique's step, what it is called in the recipe, its stage, which records it takes, and where it is named."""

    step: Step
    called: str
    stage: str
    only: Only = Only()
    place: str = field(default="", repr=False, compare=False)  # which is nothing that the output depends on

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
