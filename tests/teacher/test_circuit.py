import asyncio
import time
from pathlib import Path

import pytest

from tasks.teacher.endings import TeacherUnusable
from tests.engines import ask, engine_at
from tests.faults import Call, Fault, FaultsServer, Script, always, html, refused


def until(answering: dict[str, bool]) -> Script:
    def script(call: Call) -> Fault | None:
        return None if answering["now"] else refused(503)

    return script


async def test_an_outage_is_waited_out_and_costs_no_record_its_answer(tmp_path: Path) -> None:
    """Far more failures than each record has attempts: only one at a time tries whether the endpoint is back."""
    up, said = {"now": True}, []
    async with (
        FaultsServer(script=until(up), latency=0.002) as server,
        engine_at(server, tmp_path, max_in_flight=20, attempts=2, backoff=0.01, notice=said.append) as engine,
    ):
        await ask(engine, "it answered before")
        up["now"] = False
        asked = [asyncio.create_task(ask(engine, f"question {i}")) for i in range(60)]
        while len(said) < 4:
            await asyncio.sleep(0.005)
        during = len(server.calls)
        up["now"] = True
        replies = await asyncio.gather(*asked)
    assert all(r.text for r in replies)
    assert during <= 1 + 20 + 12 + 4  # those in flight, a second try of some, and one for each notice
    assert "does not answer (http_503)" in said[0]
    assert "gives up in" in said[0]
    assert "answers again" in said[-1]
    assert server.paid_twice == 0


async def test_past_its_limit_an_outage_ends_the_run(tmp_path: Path) -> None:
    up = {"now": True}
    async with (
        FaultsServer(script=until(up)) as server,
        engine_at(server, tmp_path, max_in_flight=20, attempts=9, backoff=0.001, outage=0.05) as engine,
    ):
        await ask(engine, "it answered before")
        up["now"] = False
        began = time.monotonic()
        ends = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(60)), return_exceptions=True)
        assert time.monotonic() - began >= 0.05
    assert {type(e) for e in ends} == {TeacherUnusable}
    assert "http_503" in next(e for e in ends if isinstance(e, TeacherUnusable)).what


async def test_an_endpoint_that_never_answered_is_given_up_soon(tmp_path: Path) -> None:
    async with (
        FaultsServer(script=always(refused(503))) as server,
        engine_at(server, tmp_path, max_in_flight=20, attempts=3, outage=3600) as engine,
    ):
        ends = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(60)), return_exceptions=True)
    assert TeacherUnusable in {type(e) for e in ends}
    assert len(server.calls) <= 20 + 12 + 4


async def test_a_page_where_an_api_is_expected_is_called_that(tmp_path: Path) -> None:
    async with (
        FaultsServer(script=always(html)) as server,
        engine_at(server, tmp_path, max_in_flight=20, attempts=3) as engine,
    ):
        ends = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(60)), return_exceptions=True)
    fault = next(e for e in ends if isinstance(e, TeacherUnusable))
    assert "We are back soon" in fault.what
    assert (
        fault.hint
        == f"{server.url} answers, but not as an OpenAI-compatible API: check base_url, which ends in /v1 as a rule"
    )


async def test_who_is_interrupted_while_trying_lets_another_try(tmp_path: Path) -> None:
    up = {"now": True}
    async with (
        FaultsServer(script=until(up), latency=0.02) as server,
        engine_at(server, tmp_path, max_in_flight=20, attempts=9, backoff=0.001) as engine,
    ):
        await ask(engine, "it answered before")
        up["now"] = False
        asked = [asyncio.create_task(ask(engine, f"question {i}")) for i in range(20)]
        while not engine.circuit.probing:
            await asyncio.sleep(0.001)
        up["now"] = True
        for task in asked[:10]:
            task.cancel()
        ends = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(e) for e in ends[:10]} <= {asyncio.CancelledError}
    assert all(getattr(e, "text", "") for e in ends[10:])


@pytest.mark.parametrize("attempts", [1, 3])
async def test_fewer_failures_than_a_dozen_are_no_outage(attempts: int, tmp_path: Path) -> None:
    async with (
        FaultsServer(script=always(refused(503))) as server,
        engine_at(server, tmp_path, attempts=attempts) as engine,
    ):
        with pytest.raises(Exception, match="http_503"):
            await ask(engine, "bread")
    assert len(server.calls) == attempts
    assert not engine.circuit.open
