"""Many pieces of work side by side, and a task only for those that wait.

Where the store knows every answer, nothing waits, and a task for each record would cost more than to find the answer.
So one task goes on from piece to piece until a piece waits; then the next task takes what is left. Where pieces do
wait, ever more tasks begin in a turn of the loop: a busy loop has few turns, and many places to fill in each.

Several crews may share seats, each for a shard, say. They fill them one after the other: in turns they would all come
to their last pieces at one time, and leave most seats empty.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

from tasks.teacher.slots import Slots

Found = TypeVar("Found")
SHIFT = 0.01  # seconds after which a task that never waits lets others have the loop
MOST = 64  # tasks that begin in one turn of the loop


class Seats:
    """How many pieces may be under way at once; of those who share them one crew at a time begins pieces."""

    def __init__(self, most: int) -> None:
        self.slots = Slots(most)
        self.turn = asyncio.Lock()


async def through(work: Callable[[int], Awaitable[Found]], many: int, seats: Seats) -> list[Found]:
    """What `work` gives for each number below `many`, in their order; as many at once as there are seats.

    Raises what the first piece that fails raises; no further one is begun then.
    """
    found: list[Any] = [None] * many
    left = deque(range(many))
    crew: list[asyncio.Task[None]] = []

    async def shift() -> None:
        last, until = len(crew), monotonic() + SHIFT
        try:
            while left:
                number = left.popleft()
                found[number] = await work(number)
                if len(crew) > last or monotonic() > until:
                    break  # it is over once somebody follows
        except BaseException:
            left.clear()
            raise

    async def begin(many: int) -> bool:
        """Let so many tasks begin; gives whether the last of them waits."""
        for _ in range(many):
            await seats.slots.take()
            crew.append(asyncio.create_task(shift()))
            crew[-1].add_done_callback(lambda _: seats.slots.give())  # also of one that is cancelled before it begins
        await asyncio.sleep(0)  # they work until they wait
        return not crew[-1].done()

    at_once = 1
    try:
        async with seats.turn:
            while left:
                waits = await begin(min(at_once, len(left)))
                at_once = min(2 * at_once, MOST) if waits else 1
        await asyncio.gather(*crew)
    except asyncio.CancelledError:
        for task in crew:
            task.cancel()
        raise
    return found
