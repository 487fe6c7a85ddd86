"""The cost table of a run, with what the store holds and what its purse saw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.bill import HEAD, before, shown
from flows.costs import costs
from tasks.teacher.budget import Purse
from tasks.teacher.count import Asked, Count
from tasks.teacher.store import Attempt, CallStore
from tests.flows.conftest import Done
from tests.flows.teachers import good, teacher
from tests.flows.test_refresh import logs, own

PRICE = ("--set", "teacher.price.input=10", "--set", "teacher.price.output=30")


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Two runs; the second asked two models in one stage."""
    path = tmp_path / "calls.sqlite"

    async def remember() -> None:
        for run, model in (("00001", "small"), ("00002", "small"), ("00002", "strong")):
            async with CallStore(path, run) as store:
                store.record(Attempt("answer", "p", "k", "", "http_500", 0.1, 0, 0, 0.0, model))
                store.record(Attempt("answer", "p", "k", "", "good", 0.3, 30, 10, 0.5, model))

    asyncio.run(remember())
    return path


def test_the_table_has_one_runs_calls_by_model_and_their_sum_over_its_rows(calls: Path) -> None:
    purse = Purse()
    purse.asked["answer", "small"] = Asked(Count(2, 3, 30, 10, 0.5), missed=1)
    small, strong, total = costs(calls, "00002", purse, 4)
    assert (small["model"], small["calls"], small["hits"], small["hit_rate"]) == ("small", 2, 3, 0.75)
    assert (strong["model"], strong["hits"], strong["hit_rate"]) == ("strong", 0, None)
    assert (total["stage"], total["calls"], total["usd"], total["usd_per_row"]) == ("total", 4, 1.0, 0.25)
    assert total["attempts"] == {"good": 2, "http_500": 2}
    assert dict(zip(HEAD, shown(small, str), strict=True)) == {
        "stage": "answer",
        "model": "small",
        "calls": "2",
        "hits": "3",
        "hit %": "75",
        "p50 s": "0.30",
        "p95 s": "0.30",
        "tokens in": "30",
        "out": "10",
        "USD": "0.5000",
        "USD a row": "0.125000",
        "attempts": "1 good, 1 http_500",
    }


def test_a_run_that_found_all_in_the_store_has_a_table_and_one_that_asked_nobody_has_none(calls: Path) -> None:
    purse = Purse()
    purse.hit("judge", "small")
    row, total = costs(calls, "00003", purse, 0)
    assert (row["stage"], row["calls"], row["hit_rate"], row["p50"], row["usd_per_row"]) == (
        "judge",
        0,
        1.0,
        None,
        None,
    )
    assert total["hits"] == 1
    assert shown(row, str)[-2:] == ["–", "–"]
    assert costs(calls, "00003", Purse(), 0) == []
    assert costs(calls.with_name("none.sqlite"), "00001", Purse(), 0) == []


def test_a_model_without_a_price_costs_a_question_mark(calls: Path) -> None:
    purse = Purse()
    purse.unpriced.add("strong")
    small, strong, total = (shown(row, str) for row in costs(calls, "00002", purse, 1))
    assert ("?" in small, "?" in strong, "?" in total) == (False, True, False)


def test_what_earlier_tries_sent_is_said(calls: Path) -> None:
    rows = costs(calls, "00002", Purse(), 1)
    assert before(rows, 1) == "3 of the calls in the table were sent by earlier tries of this run."
    assert before(rows, 4) == before([], 0) == ""


def test_the_cost_table_agrees_with_what_was_paid_and_tells_models_apart(
    flywheel: Callable[..., Done], tmp_path: Path
) -> None:
    tiers = ("--set", "tiers.strong.model=wise", "--set", "answer.tier_for.question_answering=strong")
    with teacher(good) as fine:
        tiers += ("--set", f"tiers.strong.base_url={fine.url}")
        tiers += ("--set", "tiers.strong.price.input=100", "--set", "tiers.strong.price.output=300")
        source = logs(tmp_path / "logs.jsonl")
        command = own(source, tmp_path / "lake", fine.url, *PRICE, *tiers)
        done = flywheel(*command, OPENAI_API_KEY="k")
        page = flywheel("calls", "--out", str(tmp_path / "lake"), "--name", "weekly")
    assert done.code == 0, done.err
    *rows, total = done.json["costs"]
    paid = done.json["teacher"]
    assert [(r["stage"], r["model"]) for r in rows] == [("label", "canned"), ("answer", "wise"), ("judge", "canned")]
    for what in ("calls", "tokens_in", "tokens_out"):
        assert total[what] == sum(r[what] for r in rows) == paid[what]
    assert abs(total["usd"] - paid["usd"]) < 1e-6
    assert abs(total["usd_per_row"] - paid["usd"] / done.json["rows_new"]) < 1e-6
    assert all(0 < r["p50"] <= r["p95"] and r["attempts"] == {"good": 10} for r in rows)
    assert "wise" in page.out
