import asyncio
import time

import pytest

from tasks.recipe import Endpoint
from tasks.teacher.limits import Limiter, span, until


def limiter_of(**limits: int) -> Limiter:
    return Limiter(Endpoint(**{"max_in_flight": 8, **limits}))


class Closed(Exception):
    pass


def yes() -> None:
    pass


def test_requests_are_spread_over_the_minute() -> None:
    limiter = limiter_of(rpm=120)
    turns = [limiter.turn(500, 500) for _ in range(5)]
    assert [later - turns[0] for later in turns] == pytest.approx([0, 0.5, 1.0, 1.5, 2.0])


def test_tokens_are_spread_over_the_minute_by_what_each_call_needs() -> None:
    limiter = limiter_of(tpm=6000)
    turns = [limiter.turn(tokens - tokens // 3, tokens // 3) for tokens in (100, 300, 0, 50)]
    assert [later - turns[0] for later in turns] == pytest.approx([0, 1.0, 4.0, 4.0])


def test_the_scarcer_of_the_two_sets_the_pace() -> None:
    limiter = limiter_of(rpm=60, tpm=6000)
    turns = [limiter.turn(tokens - tokens // 3, tokens // 3) for tokens in (10, 300, 10, 10)]
    assert [later - turns[0] for later in turns] == pytest.approx([0, 1.0, 4.0, 5.0])


def test_prompt_and_response_tokens_have_limits_of_their_own() -> None:
    limiter = limiter_of(input_tpm=6000, output_tpm=600)
    turns = [limiter.turn(*tokens) for tokens in ((100, 0), (0, 20), (0, 0))]
    assert [later - turns[0] for later in turns] == pytest.approx([0, 1.0, 3.0])


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("1s", 1), ("6m0s", 360), ("20ms", 0.02), ("1m30.5s", 90.5), ("1d2h", 93600), ("3", 3), ("soon", 0), ("", 0)],
)
def test_an_endpoint_says_in_many_ways_when_its_limit_is_filled_up_again(said: str, seconds: float) -> None:
    assert span(said) == pytest.approx(seconds)


@pytest.mark.parametrize("scale", [1, 1000])
def test_a_reset_may_be_a_moment_in_seconds_or_milliseconds(scale: int) -> None:
    assert 40 < until(str(int((time.time() + 50) * scale))) <= 50
    assert until(str(int((time.time() - 50) * scale))) == 0


@pytest.mark.parametrize("said", ["later", "-3s", "", "9" * 400, "9" * 400 + "s", "1.2.3s", "null"])
def test_a_reset_that_is_no_time_holds_nobody(said: str) -> None:
    assert until(said) == 0


@pytest.mark.parametrize("what", ["requests", "tokens"])
def test_nobody_sends_what_an_endpoint_says_it_has_no_room_for(what: str) -> None:
    limiter = limiter_of()
    limiter.told({f"x-ratelimit-remaining-{what}": "1", f"x-ratelimit-reset-{what}": "50s"})
    assert limiter.held <= 0
    limiter.told({f"x-ratelimit-remaining-{what}": "0", f"x-ratelimit-reset-{what}": "50s"})
    assert 40 < limiter.held <= 50


def test_a_pause_does_not_save_up_turns_for_a_burst() -> None:
    limiter = limiter_of(rpm=600_000)
    limiter.turn(0, 0)
    time.sleep(0.002)  # longer than a turn
    first, second = limiter.turn(0, 0), limiter.turn(0, 0)
    assert second - first == pytest.approx(0.0001)


def test_turns_after_a_gate_are_spread_too() -> None:
    limiter = limiter_of(rpm=60)
    limiter.hold(100)
    turns = [limiter.turn(0, 0) for _ in range(3)]
    assert [at - limiter.not_before for at in turns] == pytest.approx([0, 1, 2])


def test_a_shorter_hold_does_not_open_the_gate_that_a_longer_one_closed() -> None:
    limiter = limiter_of()
    limiter.hold(100)
    limiter.hold(1)
    assert 90 < limiter.held <= 100


async def test_who_waits_at_the_gate_sees_it_move() -> None:
    limiter, began = limiter_of(), time.monotonic()
    limiter.hold(0.03)

    async def wait() -> float:
        await limiter.slot(0, 0, yes)
        return time.monotonic() - began

    waiting = [asyncio.create_task(wait()) for _ in range(3)]
    await asyncio.sleep(0.01)
    limiter.hold(0.06)
    assert min(await asyncio.gather(*waiting)) >= 0.07


async def test_a_slot_that_is_not_worth_waiting_for_is_given_back() -> None:
    limiter = limiter_of(max_in_flight=1)

    def no() -> None:
        raise Closed

    for _ in range(3):  # with one slot, a leak would block the second
        with pytest.raises(Closed):
            await limiter.slot(0, 0, no)
    await limiter.slot(0, 0, yes)


async def test_what_is_not_worth_waiting_for_any_more_is_found_out_in_the_queue() -> None:
    limiter, closed = limiter_of(max_in_flight=4, rpm=600), []

    def open_yet() -> None:
        if closed:
            raise Closed

    async def wait() -> None:
        await limiter.slot(0, 0, open_yet)
        closed.append("by the first")
        limiter.slots.give()

    ends = await asyncio.gather(*(wait() for _ in range(100)), return_exceptions=True)
    assert [type(e) for e in ends] == [type(None)] + [Closed] * 99
