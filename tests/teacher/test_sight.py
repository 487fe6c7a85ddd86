"""What one sees of engines at work."""

import asyncio
from pathlib import Path
from random import Random

from tasks.answer.distill import Distill
from tasks.clean.written import Written
from tasks.teacher.count import Count
from tasks.teacher.engine import Engine
from tasks.teacher.sight import Sight, sight
from tests.engines import engine_at
from tests.faults import Call, Fault, FaultsServer, rate_limited, refused

STEP = Distill()


def seen(engine: Engine) -> Sight:
    found = sight(STEP, {"teacher": engine})
    assert found
    return found


async def put(engine: Engine, text: str, count: Count) -> None:
    body = {"messages": [{"role": "user", "content": text}], "max_tokens": 50}
    await engine.call(body, 0, count, "answer")


async def test_calls_in_flight_hits_and_those_turned_away_are_seen_while_they_are_out(tmp_path: Path) -> None:
    def script(call: Call) -> Fault | None:
        return rate_limited(ms=5) if call.number == 7 else None

    async with (
        FaultsServer(script=script, latency=0.05) as server,
        engine_at(server, tmp_path, max_in_flight=8) as engine,
    ):
        asked = [asyncio.create_task(put(engine, f"question {i}", Count())) for i in range(12)]
        while len(server.calls) < 8:
            await asyncio.sleep(0.005)
        during = seen(engine)
        await asyncio.gather(*asked)
        await put(engine, "question 0", Count())
        after = seen(engine)
    assert (during.in_flight, during.allowed, during.most) == (8, 8, 8)
    assert (after.in_flight, after.asked.turned_away, after.asked.spent.calls) == (0, 1, 13)
    assert after.allowed < 8
    assert after.hit_rate == 1 / 13
    assert not after.out


async def test_an_outage_is_seen_with_the_seconds_to_the_next_probe(tmp_path: Path) -> None:
    async with (
        FaultsServer(script=lambda _: refused(503)) as server,
        engine_at(server, tmp_path, max_in_flight=20, attempts=9, backoff=5) as engine,
    ):
        engine.chance = Random(1)
        engine.pause = lambda nth: 0.001  # between the tries of a call, not between probes
        asked = [asyncio.create_task(put(engine, f"question {i}", Count())) for i in range(20)]
        while not engine.circuit.open:
            await asyncio.sleep(0.005)
        out = dict(seen(engine).out)
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    assert 9 < out["m-1"] <= 10


def test_a_step_that_asks_nobody_shows_no_engine() -> None:
    assert sight(Written(), {}) is None
