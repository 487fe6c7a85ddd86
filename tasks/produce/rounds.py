"""Rounds of a fixed size: so many things made at once, taken in their order, whatever the timing of the answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from itertools import islice
from random import Random
from typing import TypeVar

from tasks.step import Outcome
from tasks.teacher.ask import together
from tasks.teacher.endings import NoAnswer

Item = TypeVar("Item")
Made = tuple[Item, Outcome | NoAnswer]


async def rounds(
    items: Iterable[Item], make: Callable[[Item], Awaitable[Outcome]], at_once: int, patience: int | None = None
) -> AsyncIterator[Made[Item]]:
    """Each item with what was made of it. Ends after `patience` rounds in a row of which nothing was accepted."""
    todo, idle = iter(items), 0
    while batch := list(islice(todo, at_once)):
        made = list(zip(batch, await together(make(one) for one in batch), strict=True))
        for one in made:
            yield one
        idle = 0 if any(isinstance(o, Outcome) and o.out for _, o in made) else idle + 1
        if patience is not None and idle >= patience:
            return


def drawn(shares: dict[str, float], dice: Random) -> str:
    """One of the names, by their shares; a name without a share is never drawn."""
    return dice.choices(list(shares), weights=list(shares.values()))[0]
