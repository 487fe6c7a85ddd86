"""Rounds of a fixed size: so many things made at once, taken in their order, whatever the timing of the answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import ceil
from random import Random
from typing import TypeVar

from tasks.step import Outcome
from tasks.teacher.ask import together
from tasks.teacher.endings import NoAnswer

Item = TypeVar("Item")
Made = tuple[Item, Outcome | NoAnswer]


async def rounds(
    items: Iterable[Item],
    make: Callable[[Item], Awaitable[Outcome]],
    at_once: int,
    patience: int | None = None,
    target: int | None = None,
    each: int = 1,
) -> AsyncIterator[Made[Item]]:
    """Each item with what was made of it. With a `target`, no more items are begun than it is short of, where an item
    makes `each` rows. Ends when nothing was accepted of as many items in a row as `patience` whole rounds have.
    """
    todo, idle, accepted = iter(items), 0, 0
    while batch := list(islice(todo, wanted(at_once, target, accepted, each))):
        for one, made in zip(batch, await together(make(one) for one in batch), strict=True):
            new = len(made.out) if isinstance(made, Outcome) else 0
            accepted, idle = accepted + new, 0 if new else idle + 1
            yield one, made
        if patience is not None and idle >= patience * at_once:
            return


def wanted(at_once: int, target: int | None, accepted: int, each: int) -> int:
    return at_once if target is None else max(0, min(at_once, ceil((target - accepted) / each)))


def drawn(shares: dict[str, float], dice: Random) -> str:
    """One of the names, by their shares; a name without a share is never drawn."""
    return dice.choices(list(shares), weights=list(shares.values()))[0]


def dealt(shares: dict[str, float], dice: Random) -> Iterator[str]:
    """Names without end, each at every point as often as its share says, give or take one: few are shared out as
    fairly as many."""
    whole = sum(shares.values())
    due = dict.fromkeys((name for name, share in shares.items() if share), 0.0)
    while due:
        due = {name: so_far + shares[name] / whole for name, so_far in due.items()}
        most = max(due.values())
        name = dice.choice([name for name, so_far in due.items() if so_far > most - 1e-9])
        due[name] -= 1
        yield name


def shares_of(step: object, names: Sequence[str]) -> dict[str, float]:
    """The settings of a step that are shares, by name. Raises ValueError where none of them is more than 0."""
    shares = {name: getattr(step, name) for name in names}
    if not any(share > 0 for share in shares.values()):
        *others, last = names
        raise ValueError(f"of {', '.join(others)} and {last} one has to be more than 0")
    return shares


def in_turn(things: Sequence[Item], dice: Random) -> Iterator[Item]:
    """Things without end: all of them in an order of chance, then all of them in another."""
    while things:
        yield from dice.sample(things, len(things))
