import asyncio
import time
from random import Random

from tasks.teacher.slots import Slots


async def held(slots: Slots, many: int) -> list[asyncio.Task[float]]:
    """So many who want a place, as far as they got."""
    tasks = [asyncio.create_task(slots.take()) for _ in range(many)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_a_place_that_is_given_back_goes_to_who_waits_longest() -> None:
    slots = Slots(2)
    first, second, third, fourth = await held(slots, 4)
    assert [t.done() for t in (first, second, third, fourth)] == [True, True, False, False]
    slots.give()
    await asyncio.sleep(0)
    assert [third.done(), fourth.done()] == [True, False]
    slots.give()
    await fourth
    assert slots.in_flight == 2


async def test_who_leaves_the_queue_takes_no_place_with_them() -> None:
    slots = Slots(1)
    _, leaver, last = await held(slots, 3)
    leaver.cancel()
    slots.give()
    await last
    assert slots.in_flight == 1
    (late,) = await held(slots, 1)
    slots.give()  # hands the place over, and its taker leaves in the same moment
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    assert slots.in_flight == 0


async def test_calls_that_are_turned_away_set_the_limit_under_what_was_in_flight() -> None:
    slots = Slots(256)
    await held(slots, 256)
    sent = time.monotonic() - 1
    for _ in range(224):
        slots.turned_away(sent)
        slots.give()
    assert slots.in_flight == 32
    assert slots.allowed == 32


async def test_one_wave_never_costs_more_than_seven_eighths() -> None:
    slots = Slots(256)
    await held(slots, 256)
    sent = time.monotonic() - 1
    for _ in range(256):
        slots.turned_away(sent)
        slots.give()
    assert slots.allowed == 32


async def test_a_limit_that_is_no_longer_needed_is_grown_out_of() -> None:
    slots = Slots(256)
    slots.allowed = 4.0
    answers = 0
    while slots.allowed < 256 and answers < 4_000:
        slots.answered()
        answers += 1
    assert slots.allowed == 256


async def test_a_server_that_bears_thirty_two_is_found_out_with_few_calls_turned_away() -> None:
    """2,000 calls in rounds, at a server that turns away what goes beyond 32 at once."""
    slots, chance = Slots(256), Random(3)
    waiting, flying, away, answered = 2000, 0, 0, 0
    while answered < 2000:
        while waiting and slots.in_flight < int(slots.allowed):
            slots.in_flight += 1
            waiting, flying = waiting - 1, flying + 1
        sent, beyond = time.monotonic(), max(0, flying - 32)
        for _ in range(beyond):
            slots.turned_away(sent)
            slots.give()
        away, waiting, flying = away + beyond, waiting + beyond, flying - beyond
        done = chance.randint(1, flying)
        for _ in range(done):
            slots.answered()
            slots.give()
        answered, flying = answered + done, flying - done
    assert away < 300
    assert 24 <= slots.allowed <= 40
