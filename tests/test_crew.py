"""Pieces of work side by side: a task for those that wait, none for the others."""

from __future__ import annotations

import asyncio

import pytest

from tasks.crew import Seats, through


async def test_what_never_waits_is_done_in_its_order_by_few_tasks() -> None:
    done: list[int] = []
    tasks: set[asyncio.Task[object] | None] = set()

    async def square(number: int) -> int:
        done.append(number)
        tasks.add(asyncio.current_task())
        return number * number

    assert await through(square, 1000, Seats(50)) == [n * n for n in range(1000)]
    assert done == list(range(1000))
    assert len(tasks) < 100


async def test_what_waits_waits_side_by_side_and_never_more_than_there_are_seats() -> None:
    seats, gate, inside, most = Seats(7), asyncio.Event(), 0, 0

    async def wait(number: int) -> int:
        nonlocal inside, most
        if number % 2:
            return number
        inside += 1
        most = max(most, inside)
        if inside == 7:
            gate.set()
        await gate.wait()
        await asyncio.sleep(0)
        inside -= 1
        return number

    assert await through(wait, 100, seats) == list(range(100))
    assert most == 7
    assert seats.slots.in_flight == 0


async def test_two_crews_share_the_seats() -> None:
    seats, inside, most = Seats(3), 0, 0

    async def wait(number: int) -> int:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        for _ in range(10):  # as many turns of the loop as others take to begin
            await asyncio.sleep(0)
        inside -= 1
        return number

    both = await asyncio.gather(through(wait, 20, seats), through(wait, 30, seats))
    assert both == [list(range(20)), list(range(30))]
    assert most == 3


async def test_crews_that_share_seats_begin_one_after_the_other_without_a_pause() -> None:
    """In turns, both would have their last pieces under way at one time."""
    seats, begun = Seats(4), list[str]()

    async def crew(name: str) -> None:
        async def wait(number: int) -> None:
            begun.append(name)
            while name == "a" and number == 19 and len(begun) < 30:  # a slow one, at its end
                await asyncio.sleep(0)
            await asyncio.sleep(0)

        await through(wait, 20, seats)

    await asyncio.wait_for(asyncio.gather(crew("a"), crew("b")), 30)
    assert begun == ["a"] * 20 + ["b"] * 20


async def test_after_a_piece_that_fails_none_is_begun() -> None:
    begun: list[int] = []

    async def fail(number: int) -> int:
        begun.append(number)
        await asyncio.sleep(0)
        if number == 2:
            raise ValueError("the third")
        await asyncio.Event().wait()
        return number

    seats = Seats(5)
    with pytest.raises(ValueError, match="the third"):
        await through(fail, 1000, seats)
    assert len(begun) <= 6


async def test_a_crew_that_is_cancelled_leaves_no_work_and_gives_its_seats_back() -> None:
    seats, left = Seats(4), 0

    async def forever(number: int) -> int:
        nonlocal left
        try:
            await asyncio.Event().wait()
        finally:
            left += 1
        return number

    work = asyncio.create_task(through(forever, 10, seats))
    while seats.slots.in_flight < 4:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    while seats.slots.in_flight:
        await asyncio.sleep(0)
    assert left == 4


async def test_nothing_to_do_is_done_at_once() -> None:
    async def never(number: int) -> int:
        raise AssertionError(number)

    assert await through(never, 0, Seats(1)) == []
