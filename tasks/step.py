"""The four shapes that a step can have, and what each gives back.

- each: one record -> what came of it (`Outcome`); most techniques;
- table: a table -> a table of the same rows, and for each the reason why it goes, or null (`Sieved`);
- grow: a pool and its seeds -> new records, a batch at a time, until a target is reached;
- fold: a whole table and what was published before -> one table and what fell out (`Folded`).

A drop is a value with a stable name: never an exception, never a log line. It stands beside what was
made, so that neither hides the other. Random choices come from `dice`, drawn from the recipe's seed,
the step and the record's id, so that a rerun or another shard size makes the same choices.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, cast

import pyarrow as pa

from tasks.chosen import Chosen
from tasks.poured import poured
from tasks.record import Record

if TYPE_CHECKING:
    from tasks.teacher.ask import Teacher

MERGED = "merged"
USED = "used"  # the reason of a record that ends because what was made of it takes its place


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a record ends here. `record` is None for the record that came in; `into` names what it merged into.

    `given` says that the record stood in the pool of a growing step, which did not make it.
    """

    reason: str
    detail: str = ""
    record: Record | None = None
    into: str = ""
    given: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one record: what goes on, what was dropped, and how many of both did not exist before.

    `noted` are names of what happened on the way that is no record: a reply that nobody could read, say.
    """

    out: tuple[Record, ...] = ()
    dropped: tuple[Drop, ...] = ()
    made: int = 0
    noted: tuple[str, ...] = ()

    @classmethod
    def keeping(cls, record: Record) -> Self:
        """The record itself goes on, changed or not."""
        return cast(Self, outcome_of(out=(record,)))

    def making(self, record: Record) -> Self:
        """A new record beside the one that came in."""
        return replace(self, out=(*self.out, record), made=self.made + 1)

    def dropping(self, reason: str, detail: str = "") -> Self:
        """The record that came in ends here."""
        return replace(self, dropped=(*self.dropped, Drop(reason, detail)))

    def eliminating(self, candidate: Record, reason: str, detail: str = "") -> Self:
        """A new record that was made and did not survive."""
        return replace(self, dropped=(*self.dropped, Drop(reason, detail, candidate)), made=self.made + 1)

    def ending(self, given: Record, reason: str = USED, detail: str = "") -> Self:
        """A record of a growing step's pool ends here."""
        return replace(self, dropped=(*self.dropped, Drop(reason, detail, given, given=True)))

    def noting(self, what: str) -> Self:
        """Something happened that is no record; the tally counts it under this name."""
        return replace(self, noted=(*self.noted, what))

    @property
    def balanced(self) -> bool:
        return 1 + self.made == len(self.out) + len(self.dropped)


outcome_of = poured(Outcome)


@dataclass(frozen=True, slots=True)
class Sieved:
    """A table with the same rows in the same order, for each row a reason to drop it, or null, and what else was
    counted, by name."""

    table: pa.Table
    reason: pa.Array
    detail: pa.Array | None = None
    noted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Folded:
    """What a fold keeps, what it drops as (row number in the input, drop), and what else it counted, by name.

    The input may lie on disk (`loop.run`): what goes on of it is best told by `Chosen`, which copies nothing.
    """

    table: pa.Table | Chosen
    dropped: Sequence[tuple[int, Drop]]
    noted: Mapping[str, int] = field(default_factory=dict)


class Each(Protocol):
    """One record in, an outcome out."""

    shape: ClassVar[Literal["each"]]

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome: ...


class TableStep(Protocol):
    """Columnar: no record objects."""

    shape: ClassVar[Literal["table"]]

    def __call__(self, table: pa.Table) -> Sieved: ...


class Grow(Protocol):
    """Gives outcomes, a batch at a time; `pool` holds what was given and, from then on, all that this run accepted.

    What was given goes on, but for what an outcome says is `ending`.
    `target` is how many to make; None for a step that ends by itself, such as one that reads files.
    """

    shape: ClassVar[Literal["grow"]]

    @property
    def target(self) -> int | None: ...

    def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]: ...


class Fold(Protocol):
    """The whole table at once."""

    shape: ClassVar[Literal["fold"]]

    def __call__(self, table: pa.Table) -> Folded: ...


Step = Each | TableStep | Grow | Fold


def room(step: object) -> str:
    """The stage that a step belongs to: the folder where its technique stands, or what its link says."""
    return str(step.stage) if hasattr(step, "called") else type(step).__module__.split(".")[-2]  # pyright: ignore[reportAttributeAccessIssue]


def name(step: object) -> str:
    """A step's name: its module, which bears the technique's published name, or what it is called in a chain."""
    return str(step.called) if hasattr(step, "called") else type(step).__module__.rpartition(".")[2]  # pyright: ignore[reportAttributeAccessIssue]


class Dice:
    """A `Random` that is seeded when it is first thrown: most steps throw none, and to seed one for every record takes
    as long as to find an answer in the store."""

    __slots__ = ("chance", "seed")

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.chance: Random | None = None

    def __getattr__(self, name: str) -> Any:
        if self.chance is None:
            self.chance = Random(hashlib.sha256(self.seed.encode()).digest())
        return getattr(self.chance, name)


def dice(seed: int, step: str, record_id: str) -> Random:
    """A source of chance that depends on nothing but these three."""
    return cast(Random, Dice(f"{seed}\0{step}\0{record_id}"))
