"""What calls came to, out of the attempts of a store."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tasks.recipe import Budget, Endpoint, Recipe
from tasks.teacher.budget import BudgetReached, Purse
from tasks.teacher.calls import reading
from tasks.teacher.connect import engines
from tasks.teacher.costs import ALL, MODELS, STAGES, Cost, costs
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer
from tasks.teacher.store import Attempt, CallStore
from tests import faults
from tests.faults import Call, Fault, FaultsServer, rate_limited, refused

WHEN = "2026-01-05T00:00:00Z"


@contextmanager
def store(path: Path, *attempts: Attempt, run: str = "00001") -> Iterator[sqlite3.Connection]:
    async def record() -> None:
        async with CallStore(path, run) as opened:
            for attempt in attempts:
                opened.record(attempt)

    asyncio.run(record())
    with reading(path) as link:
        yield link


def attempt(stage: str, model: str, seconds: float, outcome: str = "good", key: str = "k") -> Attempt:
    tokens = (10, 5, 0.25) if outcome == "good" else (0, 0, 0.0)
    return Attempt(stage, "p", key, WHEN, outcome, seconds, *tokens, model)


def test_a_stage_with_two_models_has_a_row_for_each_in_the_order_of_the_run(tmp_path: Path) -> None:
    attempts = [attempt("label", "small", 1, key="a"), attempt("answer", "strong", 3, key="b")]
    attempts += [attempt("answer", "small", 2, "http_500", "c"), attempt("answer", "small", 2, key="c")]
    with store(tmp_path / "calls.sqlite", *attempts) as link:
        rows = costs(link, MODELS, "00001")
        by_stage, (whole,) = costs(link, STAGES), costs(link, ALL)
    assert [(c.stage, c.model) for c in rows] == [("label", "small"), ("answer", "strong"), ("answer", "small")]
    assert rows[2].attempts == {"good": 1, "http_500": 1}
    assert (rows[2].calls, rows[2].questions) == (2, 1)
    assert [c.calls for c in by_stage] == [1, 3]
    assert (whole.calls, whole.questions, whole.tokens_in, whole.usd) == (4, 3, 30, 0.75)


def test_seconds_leave_out_what_was_turned_away_for_its_rate(tmp_path: Path) -> None:
    taken = [attempt("answer", "m", n / 10) for n in range(1, 101)]
    away = [attempt("answer", "m", 0.001, "rate_limited") for _ in range(300)]
    with store(tmp_path / "calls.sqlite", *away, *taken, attempt("judge", "m", 1, "rate_limited")) as link:
        answer, judge = costs(link, MODELS)
    assert (answer.p50, answer.p95) == (5.1, 9.6)
    assert list(answer.attempts.items()) == [("rate_limited", 300), ("good", 100)]
    assert (judge.p50, judge.p95) == (None, None)


def test_an_older_store_says_no_models_and_learns_to(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    with closing(sqlite3.connect(path)) as link, link:
        link.execute(
            "create table attempts (run text not null, stage text not null, record text not null, key text not null, "
            "at text not null, outcome text not null, latency real not null, tokens_in integer not null, "
            "tokens_out integer not null, usd real not null)"
        )
        link.execute("insert into attempts values ('00001', 'answer', 'p', 'k', '', 'good', 0.5, 1, 2, 0.0)")
    with reading(path) as link:
        assert costs(link, MODELS) == [Cost("answer", "", {"good": 1}, 1, 1, 2, 0.0, 0.5, 0.5)]
    with store(path, attempt("answer", "m", 0.5)) as link:
        assert [c.model for c in costs(link, MODELS)] == ["", "m"]


@pytest.mark.parametrize("calls", [None, 25])
async def test_the_sum_over_a_run_is_what_left_the_purse_also_when_a_first_try_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int | None
) -> None:
    """Faults, rate limits, cut answers, two models and a cap; the second try goes on under the run's number."""
    monkeypatch.setenv("KEY", "k")
    wrong = {1: refused(500), 3: rate_limited(ms=2), 6: faults.cut_at_limit, 9: faults.reset}

    def script(call: Call) -> Fault | None:
        return wrong.get(call.number % 11)

    async with FaultsServer(script=script) as server:
        ends = [
            Endpoint.model_validate(
                {"base_url": server.url, "model": m, "api_key_env": "KEY", "price": {"input": 1, "output": 2}}
            )
            for m in ("small", "strong")
        ]
        recipe = Recipe(teacher=ends[0], judge=ends[1], budget=Budget(calls=calls))
        for questions in (range(12), range(6, 24)):
            purse = Purse(recipe.budget)
            async with AsyncExitStack() as stack:
                made = await stack.enter_async_context(engines(recipe, tmp_path / "calls.sqlite", purse, "00007"))
                for engine in set(made.values()):
                    engine.backoff = 0.001
                for i in questions:
                    for role in ("teacher", "judge"):
                        body = {"messages": [{"role": "user", "content": f"question {i}"}], "max_tokens": 50}
                        with suppress(NoAnswer, BudgetReached):
                            await made[role].call(body, 0, Count(), role)
    with reading(tmp_path / "calls.sqlite") as link:
        (whole,) = costs(link, ALL, "00007")
        by_model = costs(link, MODELS, "00007")
    left = purse.run.spent
    assert (whole.calls, whole.tokens_in, whole.tokens_out) == (left.calls, left.tokens_in, left.tokens_out)
    assert whole.usd == pytest.approx(left.usd)
    assert sum(c.calls for c in by_model) == whole.calls
    assert sum(c.usd for c in by_model) == pytest.approx(left.usd)
    assert {c.model for c in by_model} == {"small", "strong"}
    assert whole.calls > purse.spent.calls
    seen = sum((a.spent for a in purse.asked.values()), Count())
    assert (seen.calls, seen.hits, seen.tokens) == (purse.spent.calls, purse.spent.hits, purse.spent.tokens)
    assert seen.usd == pytest.approx(purse.spent.usd)
    assert seen.hits > 0
