"""The Batch API as a transport: the same engine to whoever asks, and never paid twice."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tasks.recipe import Batch, Budget, Endpoint, Price, RecipeError, checked, read
from tasks.teacher.budget import BudgetReached, Purse
from tasks.teacher.calls import figures
from tasks.teacher.connect import engines
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer, TeacherUnusable, Unanswered
from tasks.teacher.engine import Engine
from tasks.teacher.forgetting import forget
from tasks.teacher.prices import price_of
from tasks.teacher.protocol import error
from tests import faults
from tests.batches import Answers, BatchFaults, Fate
from tests.engines import KEY, ask, engine_at
from tests.faults import asked, refused

QUICK = {"quiet": 0.05, "poll": 0.005}
QUESTIONS = [f"how to bake bread, way {i}" for i in range(6)] + [f"面包怎么烤？方法{i}" for i in range(6)]
PROJECT = Path(__file__).resolve().parents[2]


def batching(server: BatchFaults | str, folder: Path, budget: Budget | None = None, **known: Any) -> Any:
    return engine_at(server, folder, budget, **{"batch": QUICK, **known})


async def all_of(engine: Engine, texts: list[str] = QUESTIONS, count: Count | None = None) -> list[Any]:
    """What each question comes to: a text, or the exception."""
    ends = await asyncio.gather(*(ask(engine, t, count=count) for t in texts), return_exceptions=True)
    return [end if isinstance(end, BaseException) else end.text for end in ends]


async def test_many_questions_make_one_batch_and_get_the_answers_of_live_calls(tmp_path: Path) -> None:
    count, live_count = Count(), Count()
    async with BatchFaults() as server:
        async with batching(server, tmp_path / "batch") as engine:
            answers = await all_of(engine, count=count)
            spent = engine.purse.spent
        assert [len(made.lines) for made in server.batches.values()] == [len(QUESTIONS)]
        async with batching(server, tmp_path / "batch") as engine:
            assert await all_of(engine) == answers
        assert len(server.batches) == 1  # the store had them
        async with engine_at(server, tmp_path / "live") as engine:
            assert await all_of(engine, count=live_count) == answers
    assert count == live_count == spent
    assert kept(tmp_path / "batch") == kept(tmp_path / "live")


def kept(folder: Path) -> Any:
    return figures(folder / "calls.sqlite")["kept"]


async def test_a_batch_answers_for_the_live_transport_too(tmp_path: Path) -> None:
    async with BatchFaults() as server:
        async with batching(server, tmp_path) as engine:
            await ask(engine, "面包")
        async with engine_at(server, tmp_path) as engine:
            assert (await ask(engine, "面包")).hit


async def test_a_full_batch_is_sent_at_once_and_no_file_is_larger_than_it_may_be(tmp_path: Path) -> None:
    async with BatchFaults() as server:
        async with batching(server, tmp_path / "a", batch=QUICK | {"requests": 5, "quiet": 0.2}) as engine:
            assert len(await all_of(engine)) == 12
        assert sorted(len(made.lines) for made in server.batches.values()) == [2, 5, 5]
        async with batching(server, tmp_path / "b", batch=QUICK | {"megabytes": 0.001}) as engine:
            await all_of(engine, [f"{i}" * 200 for i in range(5)])
    handed_in = [server.files[made.shown["input_file_id"]] for made in list(server.batches.values())[3:]]
    assert sum(file.count(b"\n") for file in handed_in) == 5
    assert max(map(len, handed_in)) <= 1000


async def test_what_follows_from_an_answer_makes_a_second_smaller_batch(tmp_path: Path) -> None:
    async def twice(engine: Engine, text: str) -> str:
        first = await ask(engine, text)
        return (await ask(engine, f"again: {first.text}")).text if "way" in text else first.text

    async with BatchFaults() as server, batching(server, tmp_path) as engine:
        await asyncio.gather(*(twice(engine, text) for text in QUESTIONS))
    assert [len(made.lines) for made in server.batches.values()] == [12, 6]


async def test_lines_that_go_wrong_end_as_their_live_calls_would(tmp_path: Path) -> None:
    script = asked(
        {
            "way 0": [refused(500)],
            "way 1": [refused(429, "rate_limit_exceeded"), faults.empty_content],
            "way 2": [refused(400, "invalid_request_error", f"not to our taste, {KEY}")],
            "way 3": [faults.content_filter],
            "方法0": [faults.no_choices],
            "方法1": [refused(500)] * 3,
        }
    )
    async with BatchFaults(script=script) as server, batching(server, tmp_path) as engine:
        ends = dict(zip(QUESTIONS, await all_of(engine), strict=True))
    wrong = {text: end for text, end in ends.items() if isinstance(end, Exception)}
    assert {text: type(end) for text, end in wrong.items()} == {
        QUESTIONS[2]: NoAnswer,
        QUESTIONS[3]: NoAnswer,
        QUESTIONS[7]: Unanswered,
    }
    assert "not to our taste, [key]" in getattr(wrong[QUESTIONS[2]], "detail", "")
    assert [len(made.lines) for made in server.batches.values()] == [12, 4, 2]
    assert server.paid_twice == 0


async def test_a_refusal_teaches_how_to_put_the_requests(tmp_path: Path) -> None:
    no = refused(400, "unsupported_parameter", "'max_tokens' is not supported: use 'max_completion_tokens' instead")
    async with (
        BatchFaults(script=lambda call: no if "max_tokens" in call.body else None) as server,
        batching(server, tmp_path) as engine,
    ):
        assert all(isinstance(end, str) for end in await all_of(engine))
    assert [len(made.lines) for made in server.batches.values()] == [12, 12]


@pytest.mark.parametrize("status", ["expired", "cancelled"])
async def test_of_a_batch_that_is_cut_short_the_answers_are_used_and_the_rest_goes_in_again(
    status: str, tmp_path: Path
) -> None:
    fates = [Fate(status, answered=5), Fate(unwritten=2)]
    async with BatchFaults(fates=fates) as server, batching(server, tmp_path) as engine:
        assert await all_of(engine) == [f"an answer to: {text}" for text in QUESTIONS]
        await engine.store.flush()
        booked = figures(tmp_path / "calls.sqlite")["stages"][""]["attempts"]
    assert [len(made.lines) for made in server.batches.values()] == [12, 7, 2]
    assert booked == {"good": 12, status: 7, "not_answered": 2}
    assert server.paid_twice == 0


async def test_what_expires_each_time_waits_for_the_next_run(tmp_path: Path) -> None:
    async with BatchFaults(fates=[Fate("expired", answered=0)] * 3) as server:
        async with batching(server, tmp_path) as engine:
            ends = await all_of(engine)
        assert {type(end) for end in ends} == {Unanswered}
        assert len(server.batches) == 3
        async with batching(server, tmp_path) as engine:
            assert all(isinstance(end, str) for end in await all_of(engine))


async def test_of_a_batch_that_goes_beyond_a_cap_goes_in_what_fits(tmp_path: Path) -> None:
    async with BatchFaults() as server:
        async with batching(server, tmp_path, Budget(calls=7)) as engine:
            ends = await all_of(engine)
        assert [type(end) for end in ends] == [str] * 7 + [BudgetReached] * 5
        assert [len(made.lines) for made in server.batches.values()] == [7]
        async with batching(server, tmp_path) as engine:
            assert all(isinstance(end, str) for end in await all_of(engine))
    assert [len(made.lines) for made in server.batches.values()] == [7, 5]


async def test_a_batch_reserves_all_that_it_may_come_to(tmp_path: Path) -> None:
    price = Price(input=0, output=1e6)  # a dollar a token, of which each call may use 100
    async with BatchFaults() as server, batching(server, tmp_path, Budget(usd=350), price=price) as engine:
        ends = await all_of(engine)
        assert 0 < engine.purse.spent.usd < 100
    assert [type(end) for end in ends] == [str] * 3 + [BudgetReached] * 9
    assert "asked for" in str(ends[-1])


def test_a_batched_call_costs_half_of_a_live_one_or_what_the_recipe_says() -> None:
    own, url = Price(input=1, output=4), "https://api.openai.com/v1"
    assert price_of(Endpoint(price=own, batch=Batch()), url) == Price(input=0.5, output=2)
    assert price_of(Endpoint(price=own, batch=Batch(price=0.25)), url) == Price(input=0.25, output=1)
    assert price_of(Endpoint(price=own), url) == own
    assert price_of(Endpoint(model="our-own-finetune", batch=Batch()), url) is None


def test_a_recipe_turns_batches_on_with_one_word_or_with_settings() -> None:
    weekly = "deployments/recipes/weekly.yaml"
    for told, batch in {
        "batch=true": Batch(),
        "batch=false": None,
        "batch=null": None,
        "batch.poll=600": Batch(poll=600),
    }.items():
        assert read(weekly, [f"teacher.{told}"]).teacher.batch == batch
    with pytest.raises(RecipeError, match=r"no field teacher\.batch\.quite") as fault:
        read(weekly, ["teacher.batch.quite=3"])
    assert "did you mean quiet" in fault.value.hint


async def test_the_recipe_chooses_the_transport_and_its_price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with BatchFaults() as server:
        told = {"base_url": server.url, "model": "m-1", "price": {"input": 2, "output": 8}}
        recipe = checked({"teacher": told | {"batch": QUICK}, "judge": told})
        batched, live = Count(), Count()
        async with engines(recipe, tmp_path / "calls", Purse()) as made:
            await ask(made["teacher"], "面包怎么烤？", count=batched)
            await ask(made["judge"], "bread", count=live)
    assert len(server.batches) == 1
    assert len(server.calls) == 2
    assert batched.usd == pytest.approx((batched.tokens_in * 1 + batched.tokens_out * 4) / 1e6)
    assert live.usd == pytest.approx((live.tokens_in * 2 + live.tokens_out * 8) / 1e6)
    assert batched.usd > 0 < live.usd


UNUSABLE: dict[str, tuple[str, Callable[[], Any], str]] = {
    "no files": ("files", lambda: error(404, "", "no such route"), "no_batch_api"),
    "no batches": ("batches", lambda: error(404, "", "no such route"), "no_batch_api"),
    "a bad key": ("files", lambda: error(401, "invalid_api_key", f"{KEY} is wrong"), "invalid_api_key"),
    "a spent quota": ("batches", lambda: error(429, "insufficient_quota", "top up"), "insufficient_quota"),
    "a refusal": ("batches", lambda: error(400, "invalid_request_error", "no batches for m-1"), "batch_refused"),
}


@pytest.mark.parametrize("name", UNUSABLE)
async def test_an_endpoint_that_takes_no_batch_is_found_out_once_and_says_what_to_do(name: str, tmp_path: Path) -> None:
    what, response, said = UNUSABLE[name]
    async with BatchFaults(api=Answers({what: [response()]})) as server, batching(server, tmp_path) as engine:
        ends = await all_of(engine)
        with pytest.raises(TeacherUnusable):
            await ask(engine, "later")
    assert {type(end) for end in ends} == {TeacherUnusable}
    assert len({str(end) for end in ends}) == 1
    assert said in str(ends[0])
    assert ends[0].hint
    assert KEY not in str(ends[0])
    assert not server.batches


async def test_a_file_that_is_not_valid_stops_the_teacher_with_its_lines_and_does_not_stop_the_next_run(
    tmp_path: Path,
) -> None:
    wrong = [{"code": "invalid", "message": f"Missing field {n}", "line": n} for n in range(1, 6)]
    async with BatchFaults(fates=[Fate("failed", errors=wrong)]) as server:
        async with batching(server, tmp_path) as engine:
            (end, *_) = await all_of(engine)
        assert isinstance(end, TeacherUnusable)
        assert "line 1: Missing field 1; line 2: Missing field 2; line 3: Missing field 3; and 2 more" in str(end)
        async with batching(server, tmp_path) as engine:
            assert (await ask(engine, QUESTIONS[0])).text


TOO_MUCH = Fate("failed", errors=[{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}])


async def test_a_batch_too_many_waits_for_the_others_and_one_that_is_too_large_is_no_use(tmp_path: Path) -> None:
    said: list[str] = []
    half = QUICK | {"requests": 6}
    async with (
        BatchFaults(fates=[Fate(looks=20), TOO_MUCH]) as server,
        batching(server, tmp_path / "a", batch=half, notice=said.append) as engine,
    ):
        assert all(isinstance(end, str) for end in await all_of(engine))
    assert any("has to wait for others" in line for line in said)
    async with BatchFaults(fates=[TOO_MUCH]) as server, batching(server, tmp_path / "b") as engine:
        with pytest.raises(TeacherUnusable, match=r"set batch.requests"):
            await ask(engine, "bread")


async def test_faults_in_passing_of_the_api_make_no_second_batch(tmp_path: Path) -> None:
    def broken() -> Any:
        return error(502, "", "bad gateway")

    lost = {"files": [broken()], "batches": [broken()], "look": [broken(), None, broken()], "content": [broken()]}
    async with BatchFaults(api=Answers(lost)) as server, batching(server, tmp_path) as engine:
        assert all(isinstance(end, str) for end in await all_of(engine))
    assert len(server.batches) == 1


async def test_a_batch_whose_making_was_answered_by_a_fault_is_found_and_not_made_again(tmp_path: Path) -> None:
    class Deaf(BatchFaults):
        async def make(self, request: Any) -> Any:
            made = await super().make(request)
            return error(504, "", "gateway timeout") if len(self.batches) == 1 else made

    async with Deaf() as server, batching(server, tmp_path) as engine:
        assert all(isinstance(end, str) for end in await all_of(engine))
    assert len(server.batches) == 1


async def test_how_far_a_batch_is_can_be_seen(tmp_path: Path) -> None:
    said: list[str] = []
    async with BatchFaults(fates=[Fate(looks=4)]) as server, batching(server, tmp_path, notice=said.append) as engine:
        await all_of(engine)
        assert said == [
            f"m-1 at {server.url}: batch batch_0 of 12 questions is handed in; answers come within 24 hours",
            f"m-1 at {server.url}: batch batch_0 is in_progress: 0 of 12 done",
            f"m-1 at {server.url}: batch batch_0 is completed: 12 of 12 done",
        ]


# Killed and resumed.

RUN = """
import asyncio, json, sys
from pathlib import Path
from tests.teacher.test_batch import all_of, batching

async def main() -> None:
    url, folder, texts = sys.argv[1:]
    async with batching(url, Path(folder)) as engine:
        await all_of(engine, json.loads(texts))

asyncio.run(main())
"""


async def killed(server: BatchFaults, folder: Path, when: str) -> None:
    """A run in a process of its own, killed when the endpoint has done this part of its work."""
    dead = asyncio.Event()
    arguments = (server.url, str(folder), json.dumps(QUESTIONS))
    surroundings = os.environ | {"PYTHONPATH": str(PROJECT)}
    run = await asyncio.create_subprocess_exec(sys.executable, "-c", RUN, *arguments, env=surroundings)

    def kill() -> None:
        with suppress(ProcessLookupError):
            os.kill(run.pid, signal.SIGKILL)
        dead.set()

    server.api.before[when] = kill
    await dead.wait()
    await run.wait()
    server.api.before.clear()


KILLED = {
    "before there is a batch": "files",
    "before its id is known": "batches",
    "while it runs": "look",
    "before its answers are kept": "content",
}


@pytest.mark.parametrize("when", KILLED.values(), ids=KILLED)
async def test_a_run_that_is_killed_finds_its_batch_and_hands_nothing_in_twice(when: str, tmp_path: Path) -> None:
    async with BatchFaults() as server:
        if when == "look":
            server.held.clear()
        await killed(server, tmp_path, when)
        server.held.set()
        async with batching(server, tmp_path) as engine:
            answers = await all_of(engine)
            await engine.store.flush()
            booked = figures(tmp_path / "calls.sqlite")["stages"][""]["attempts"]
    assert answers == [f"an answer to: {text}" for text in QUESTIONS]
    assert len(server.batches) == 1
    assert booked == {"good": 12}
    assert server.paid_twice == 0
    assert outstanding(tmp_path) == 0


def outstanding(folder: Path) -> int:
    with sqlite3.connect(folder / "calls.sqlite") as link:
        return link.execute("select count(*) from batched").fetchone()[0]


async def test_a_run_that_is_interrupted_books_nothing_and_the_next_collects(tmp_path: Path) -> None:
    async with BatchFaults() as server:
        server.held.clear()
        with pytest.raises(TimeoutError):
            async with batching(server, tmp_path) as engine:
                await asyncio.wait_for(all_of(engine), 0.3)
        server.held.set()
        async with batching(server, tmp_path, Budget(calls=12)) as engine:
            assert all(isinstance(end, str) for end in await all_of(engine))
    assert len(server.batches) == 1


async def test_a_batch_that_nobody_asks_for_any_more_is_collected_and_counts_towards_the_caps(tmp_path: Path) -> None:
    async with BatchFaults() as server:
        server.held.clear()
        await killed(server, tmp_path, "look")
        server.held.set()
        async with batching(server, tmp_path, Budget(calls=5)) as engine:  # lower than what is under way
            with pytest.raises(BudgetReached):
                await ask(engine, "another question")
        assert (engine.purse.spent.calls, outstanding(tmp_path)) == (12, 0)
        async with engine_at(server, tmp_path) as engine:
            assert all([(await ask(engine, text)).hit for text in QUESTIONS])
    assert len(server.batches) == 1


async def test_a_run_that_ends_first_leaves_its_batch_to_the_next(tmp_path: Path) -> None:
    async with BatchFaults() as server:
        server.held.clear()
        await killed(server, tmp_path, "look")
        async with batching(server, tmp_path):
            pass
        assert outstanding(tmp_path) == 12
        server.held.set()
        async with batching(server, tmp_path) as engine:
            assert all(isinstance(end, str) for end in await all_of(engine))
    assert len(server.batches) == 1


@pytest.mark.parametrize("when", ["batches", "look"])
async def test_a_batch_that_the_endpoint_does_not_know_is_asked_anew(when: str, tmp_path: Path) -> None:
    async with BatchFaults() as server:
        server.held.clear()
        await killed(server, tmp_path, when)
        server.batches.clear()
        server.held.set()
        async with batching(server, tmp_path):
            pass
        assert outstanding(tmp_path) == 0
        async with batching(server, tmp_path) as engine:
            assert all(isinstance(end, str) for end in await all_of(engine))
        assert [len(made.lines) for made in server.batches.values()] == [12]


async def test_two_roles_of_one_model_share_what_is_on_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with BatchFaults() as server:
        told = {"base_url": server.url, "model": "m-1", "batch": QUICK}
        recipe = checked({"teacher": told, "judge": told | {"licence": "mit"}})
        server.held.clear()
        with pytest.raises(TimeoutError):
            async with engines(recipe, tmp_path / "calls", Purse()) as made:
                await asyncio.wait_for(all_of(made["judge"]), 0.3)
        server.held.set()
        async with engines(recipe, tmp_path / "calls", Purse()) as made:
            assert made["teacher"] is not made["judge"]
            assert all(isinstance(end, str) for end in await all_of(made["judge"]))
    assert len(server.batches) == 1


async def test_what_is_forgotten_is_not_collected(tmp_path: Path) -> None:
    body = {"messages": [{"role": "user", "content": "bread"}], "temperature": 0.0, "max_tokens": 10}
    async with BatchFaults() as server:
        server.held.clear()
        with pytest.raises(TimeoutError):
            async with batching(server, tmp_path) as engine:
                await asyncio.wait_for(engine.call(body, 0, Count(), "answer", "p1"), 0.3)
        forget(tmp_path / "calls.sqlite", record="p1")
        server.held.set()
        async with batching(server, tmp_path):
            pass
    assert kept(tmp_path) == {}
