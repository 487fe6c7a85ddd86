"""Embeddings at a server that gives them, and at one that goes wrong."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tasks.recipe import Budget, Price, Recipe, RecipeError, checked
from tasks.teacher.budget import BudgetReached, Purse
from tasks.teacher.connect import engines
from tasks.teacher.count import Count
from tasks.teacher.embed import AT_ONCE, EmbeddingEngine
from tasks.teacher.endings import NoAnswer, TeacherUnusable, Unanswered
from tests import faults
from tests.engines import KEY
from tests.faults import FaultsServer, always, changed, in_order, rate_limited, refused, vector

TEXTS = [f"How is bread baked, way {i}?" for i in range(70)] + [f"面包怎么烤？方法{i}" for i in range(70)]
PRICE = Price(input=1e6, output=0)  # a dollar a token


@asynccontextmanager
async def embedder(server: FaultsServer, folder: Path, **known: Any) -> AsyncIterator[EmbeddingEngine]:
    budget = known.pop("budget", Budget())
    place = {"model": "e-1", "base_url": server.url, "api_key_env": "EMBED_KEY", "timeout": 5, "attempts": 3}
    recipe = checked({"teacher": {"model": "m", "api_key_env": "EMBED_KEY"}, "embeddings": place | known})
    async with engines(recipe, folder / "calls.sqlite", Purse(budget)) as made:
        engine = made["embeddings"]
        assert isinstance(engine, EmbeddingEngine)
        engine.backoff = 0.001
        yield engine


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBED_KEY", KEY)


def near(found: list[list[float]], texts: list[str]) -> bool:
    pairs = [(a, b) for v, t in zip(found, texts, strict=True) for a, b in zip(v, vector(t), strict=True)]
    return all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-7) for a, b in pairs)


async def test_each_text_has_its_vector_and_is_paid_once_however_it_is_grouped(tmp_path: Path) -> None:
    count = Count()
    async with FaultsServer() as server, embedder(server, tmp_path, price=PRICE) as engine:
        first = await engine.embed([*TEXTS, TEXTS[0]], count)
        assert near(first, [*TEXTS, TEXTS[0]])
        calls = len(server.calls)
        assert await engine.embed(TEXTS[::-1], count) == first[-2::-1]  # bit for bit
        await engine.embed([*TEXTS[5:9], "something new 新的"], count)
    assert calls == math.ceil(len(TEXTS) / AT_ONCE)
    assert server.calls[-1].body == {"model": "e-1", "input": ["something new 新的"]}
    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"
    assert (count.calls, count.hits) == (calls + 1, len(TEXTS) + 4)
    assert count.usd == pytest.approx(count.tokens_in)
    assert count.tokens_in > len(TEXTS)
    assert engine.purse.spent == count


async def test_the_next_run_finds_the_vectors_and_the_store_holds_none_of_the_texts(tmp_path: Path) -> None:
    async with FaultsServer() as server:
        for _ in range(2):
            async with embedder(server, tmp_path) as engine:
                assert near(await engine.embed(["面包师傅的秘方"]), ["面包师傅的秘方"])
    assert len(server.calls) == 1
    assert all("秘方".encode() not in f.read_bytes() for f in tmp_path.iterdir())


FAULTS = {
    "500": refused(500),
    "429": rate_limited(ms=5),
    "reset": faults.reset,
    "cut": faults.cut_body,
    "HTML": faults.html,
    "a vector too few": changed(lambda plain: plain["data"].pop()),
    "no numbers": changed(lambda plain: plain["data"][0].update(embedding=[None])),
    "not a number": changed(lambda plain: plain["data"][0].update(embedding=[float("nan")] * 8)),
    "other dimensions": changed(lambda plain: plain["data"][0].update(embedding=[1.0])),
    "empty": changed(lambda plain: plain.update(data=[])),
    "words": changed(lambda plain: plain.update(data="none")),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_in_passing_costs_one_more_call(name: str, tmp_path: Path) -> None:
    server = FaultsServer(script=in_order(FAULTS[name]))
    async with server, embedder(server, tmp_path) as engine:
        assert near(await engine.embed(TEXTS[:3]), TEXTS[:3])
    assert (len(server.calls), server.paid_twice, server.early) == (2, 0, 0)


@pytest.mark.parametrize(
    ("fault", "end"), [(refused(401), TeacherUnusable), (refused(500), Unanswered), (refused(400, "bad"), NoAnswer)]
)
async def test_what_does_not_pass_ends_as_a_chat_call_does(
    fault: faults.Fault, end: type[Exception], tmp_path: Path
) -> None:
    server = FaultsServer(script=always(fault))
    async with server, embedder(server, tmp_path) as engine:
        with pytest.raises(end):
            await engine.embed(TEXTS[:3])


async def test_a_cap_holds_for_vectors_too(tmp_path: Path) -> None:
    async with FaultsServer() as server, embedder(server, tmp_path, budget=Budget(calls=1)) as engine:
        with pytest.raises(BudgetReached):
            await engine.embed(TEXTS)
    assert len(server.calls) == 1


async def test_usage_that_is_not_told_is_an_estimate(tmp_path: Path) -> None:
    count = Count()
    server = FaultsServer(script=always(faults.no_usage))
    async with server, embedder(server, tmp_path) as engine:
        await engine.embed(TEXTS[:3], count)
    assert count.estimated == 1
    assert count.tokens_in > 3


def test_embeddings_are_not_batched_and_their_name_is_taken() -> None:
    for change in ({"embeddings": {"batch": True}}, {"tiers": {"embeddings": {}}}, {"tiers": {"reward": {}}}):
        with pytest.raises(RecipeError, match=r"neither batched|that name is taken"):
            checked(change)


def test_each_endpoint_has_its_own_limits_price_and_key() -> None:
    ends = {role: {"model": role, "api_key_env": f"{role.upper()}_KEY", "rpm": 60} for role in ("reward", "student_at")}
    recipe = checked(ends)
    assert {where: end.api_key_env for where, end in recipe.endpoints.items()} == {
        "teacher": "OPENAI_API_KEY",
        "reward": "REWARD_KEY",
        "student_at": "STUDENT_AT_KEY",
    }
    assert Recipe().endpoints.keys() == {"teacher"}
