"""Calls that are late or hung, at a server that is: sent again where all else waits for them, and given up in time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tasks.recipe import Budget, Price
from tasks.teacher.calls import figures
from tasks.teacher.count import Count
from tasks.teacher.endings import Unanswered
from tasks.teacher.engine import Engine
from tasks.teacher.pace import ENOUGH, Pace
from tests import faults
from tests.engines import ask, engine_at
from tests.faults import FaultsServer, asked, refused

KIND = ("", 100)


async def known(engine: Engine, calls: int = 2 * ENOUGH) -> None:
    """Answers enough to know how long one takes; late is soon, so that the test is."""
    await asyncio.gather(*(ask(engine, f"question {i}") for i in range(calls)))
    engine.pace.late = lambda kind: 0.05  # type: ignore[method-assign]


def attempts(folder: Path) -> Any:
    return figures(folder / "calls.sqlite")["stages"][""]["attempts"]


async def test_the_last_call_is_sent_again_when_it_is_late_and_both_are_counted(tmp_path: Path) -> None:
    count, price = Count(), Price(input=1, output=1)
    script = asked({"面包": [faults.hang]})
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, price=price) as engine:
        await known(engine)
        before = engine.purse.spent.usd
        assert (await ask(engine, "面包", count=count)).text == "an answer to: 面包"
        twice = engine.purse.spent.usd - before
        assert (await ask(engine, "面包")).hit
    assert (server.per_prompt["面包"], server.paid_twice, engine.pace.hedged) == (2, 0, 1)
    assert attempts(tmp_path) == {"good": 201, "overtaken": 1}
    assert (count.calls, count.estimated) == (2, 1)
    assert 0 < count.usd == pytest.approx(twice)


@pytest.mark.parametrize("senders", [0, 1], ids=["the run sends", "a sender does"])
async def test_the_first_answer_is_taken_whichever_call_it_is_for(senders: int, tmp_path: Path) -> None:
    script = asked({"rice": [faults.after(0.5), faults.hang]})
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, senders=senders) as engine:
        await known(engine)
        assert (await ask(engine, "rice")).text
        for _ in range(100):
            if server.in_flight == 0:
                break
            await asyncio.sleep(0.01)
        assert server.in_flight == 0  # the other one was broken off
    assert server.per_prompt["rice"] == 2
    assert attempts(tmp_path) == {"good": 201, "overtaken": 1}


@pytest.mark.parametrize("second", [refused(500), refused(400, "bad"), faults.reset], ids=["500", "400", "reset"])
async def test_a_second_call_that_goes_wrong_costs_nothing_but_itself(second: faults.Fault, tmp_path: Path) -> None:
    script = asked({"rice": [refused(500), faults.after(0.5), second]})
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path) as engine:
        await known(engine)
        assert (await ask(engine, "rice")).text
    assert server.per_prompt["rice"] == 3
    assert attempts(tmp_path)["good"] == 201


async def test_where_others_wait_for_a_place_nothing_is_sent_twice(tmp_path: Path) -> None:
    script = asked({"slow": [faults.after(0.5)] * 9})
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, max_in_flight=4) as engine:
        await known(engine)
        slow = [asyncio.create_task(ask(engine, f"slow {i}")) for i in range(4)]
        others = [asyncio.create_task(ask(engine, f"slow as well {i}")) for i in range(4)]
        await asyncio.gather(*slow)
        assert engine.pace.hedged == 0
        for task in others:
            task.cancel()
    assert max(server.per_prompt.values()) == 1


async def test_no_more_than_the_share_of_the_recipe_is_sent_twice(tmp_path: Path) -> None:
    for share, most in ((0.01, 2), (0, 0)):
        script = asked({"slow": [faults.after(0.5)]})
        folder = tmp_path / str(share)
        async with FaultsServer(script=script) as server, engine_at(server, folder, hedge=share) as engine:
            await known(engine)
            engine.pace.late = lambda kind, share=share: 0.05 if share else None  # type: ignore[method-assign]
            await asyncio.gather(*(ask(engine, f"slow {i}") for i in range(20)))
        assert len(server.calls) == 220 + most


async def test_a_second_call_that_the_budget_has_no_room_for_is_not_sent(tmp_path: Path) -> None:
    script, caps = asked({"rice": [faults.after(0.5)]}), Budget(calls=201)
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, caps) as engine:
        await known(engine)
        assert (await ask(engine, "rice")).text
    assert len(server.calls) == 201


async def test_who_leaves_takes_both_calls_along(tmp_path: Path) -> None:
    script = asked({"rice": [faults.hang] * 2})
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path) as engine:
        await known(engine)
        task = asyncio.create_task(ask(engine, "rice"))
        while server.per_prompt["rice"] < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert engine.limiter.slots.in_flight == 0
        assert engine.purse.run.held == Count()


async def test_an_answer_that_trickles_for_ever_is_given_up_in_time(tmp_path: Path) -> None:
    script = asked({"rice": [faults.trickle] * 3})
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, timeout=0.1) as engine:
        with pytest.raises(Unanswered, match=r"timed_out no answer in 0\.1 s"):
            await ask(engine, "rice")
    assert len(server.calls) == 3


def paced(seconds: list[float], share: float = 0.01, timeout: float = 120) -> Pace:
    pace = Pace(timeout, share)
    for one in seconds:
        pace.begun(KIND, 0)
        pace.took(KIND, one)
    return pace


def test_late_is_what_ninety_nine_in_a_hundred_are_not_and_hung_several_times_that() -> None:
    pace = paced([1.0] * 985 + [4.0] * 15)
    assert pace.late(KIND) == 4.0
    assert [pace.begun(KIND, tried) for tried in range(4)] == [20.0, 40.0, 80.0, 120]
    assert pace.late(("answer", 4096)) is None  # of another kind nothing is known
    assert pace.begun(("answer", 4096), 0) == 120


def test_an_endpoint_that_is_quick_is_not_hurried() -> None:
    pace = paced([0.01] * 200)
    assert (pace.late(KIND), pace.begun(KIND, 0)) == (0.5, 10.0)
    assert paced([0.01] * 200, timeout=5).begun(KIND, 0) == 5
    assert paced([0.01] * 99).late(KIND) is None


def test_what_is_sent_twice_is_a_share_of_what_is_sent() -> None:
    pace = paced([1.0] * 1000)
    assert [pace.spares() for _ in range(12)] == [True] * 10 + [False] * 2
