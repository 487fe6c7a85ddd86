import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tasks.recipe import Budget, Endpoint, Recipe, RecipeError, located
from tasks.teacher.budget import BudgetReached, Purse
from tasks.teacher.connect import engines
from tasks.teacher.count import Count
from tasks.teacher.endpoints import RECORDED, check, kind, roles
from tests.engines import KEY, ask
from tests.faults import FaultsServer

RECORDINGS = "data/samples/recorded.jsonl"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "JUDGE_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEACHER_KEY", KEY)


def endpoint(**known: object) -> Endpoint:
    return Endpoint.model_validate({"model": "m-1", "api_key_env": "TEACHER_KEY", **known})


@pytest.mark.parametrize(
    ("recipe", "where", "said"),
    [
        (Recipe(), "teacher.api_key_env", "OPENAI_API_KEY is not set"),
        (Recipe(teacher=endpoint(model=None)), "teacher.model", "no model for the teacher"),
        (Recipe(teacher=endpoint(), judge=endpoint(api_key_env="JUDGE_KEY")), "judge.api_key_env", "JUDGE_KEY"),
        (Recipe(teacher=endpoint(), judge=endpoint(model=None)), "judge.model", "no model for the judge"),
        (Recipe(teacher=endpoint(recorded="no/such.jsonl")), "teacher.recorded", "no/such.jsonl"),
    ],
)
def test_an_endpoint_that_lacks_something_is_named_before_anything_starts(
    recipe: Recipe, where: str, said: str
) -> None:
    with pytest.raises(RecipeError, match=said) as fault:
        check(recipe)
    assert fault.value.where == where


@pytest.mark.parametrize("who", ["teacher", "judge"])
@pytest.mark.parametrize("budget", [{"usd": 5}, {"stages": {"answer": {"usd": 5}}}])
def test_a_budget_in_money_needs_a_price_for_each_model_and_names_the_field(who: str, budget: dict[str, Any]) -> None:
    ends = {"teacher": endpoint(price={"input": 1, "output": 2}), "judge": endpoint(model="gpt-5")}
    known = Budget.model_validate(budget)
    check(Recipe(budget=known, **ends))
    unknown = Recipe(budget=known, **(ends | {who: endpoint(model="our-own-finetune")}))
    with pytest.raises(RecipeError, match="none is known for our-own-finetune") as fault:
        check(unknown)
    assert fault.value.where == f"{who}.price"
    check(unknown.model_copy(update={"budget": Budget()}))
    tier = Recipe(budget=known, **ends, tiers={"strong": endpoint(model="our-own-finetune")})
    with pytest.raises(RecipeError, match="none is known for our-own-finetune") as fault:
        check(tier)
    assert fault.value.where == "tiers.strong.price"


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000/v1",
        "ftp://localhost/v1",
        "http://",
        "not an address",
        "http://[::1/v1",
        "http://127.0.0.1:99999/v1",
        "http://me:pass-4711@localhost:8000/v1",
        "http://localhost:8000/v1?version=2&api-key=pass-4711",
        "http://localhost:8000/v1?KEY=pass-4711",
        "http://localhost:8000/v1?subscription_key=pass-4711",
    ],
)
def test_an_address_that_is_none_is_named_and_a_password_in_it_is_not(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(RecipeError, match="no address for the teacher") as fault:
        check(Recipe(teacher=endpoint()))
    assert fault.value.where == "teacher.base_url"
    assert "http://localhost:8000/v1 in base_url or OPENAI_BASE_URL" in fault.value.hint
    assert "pass-4711" not in f"{fault.value.what} {fault.value.hint}"


@pytest.mark.parametrize("held", ["你的密钥", "sk-one\nsk-two", "sk-clé"])
def test_what_can_be_no_key_is_found_before_anything_starts_and_not_repeated(
    held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEACHER_KEY", held)
    with pytest.raises(RecipeError, match="TEACHER_KEY holds characters that no key has") as fault:
        check(Recipe(teacher=endpoint()))
    assert held not in f"{fault.value.what} {fault.value.hint}"


async def test_a_line_end_behind_a_key_is_no_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", f"{KEY}\n")
    async with FaultsServer() as server:
        recipe = Recipe(teacher=endpoint(base_url=server.url))
        async with engines(recipe, tmp_path / "calls", Purse()) as made:
            await ask(made["teacher"], "面包")
    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"


def test_a_recorded_teacher_needs_no_key_and_has_a_name_of_its_own() -> None:
    recipe = Recipe(teacher=Endpoint(recorded=RECORDINGS))
    check(recipe)
    assert kind(recipe) == RECORDED
    assert kind(Recipe(teacher=endpoint())) == "m-1"


def test_the_teacher_judges_where_nobody_else_is_named() -> None:
    assert roles(Recipe(teacher=endpoint()))["judge"] == endpoint()
    assert roles(Recipe(teacher=endpoint(), judge=endpoint(model="m-2")))["judge"].model == "m-2"


async def test_equal_endpoints_share_an_engine_and_all_share_one_purse_and_one_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    purse = Purse()
    async with FaultsServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        async with engines(Recipe(teacher=endpoint(), judge=endpoint()), tmp_path / "calls", purse) as made:
            assert made["teacher"] is made["judge"]
            await ask(made["teacher"], "面包")
        other = Recipe(teacher=endpoint(), judge=endpoint(model="m-2", base_url=server.url + "/"))
        async with engines(other, tmp_path / "calls", purse) as made:
            assert made["teacher"] is not made["judge"]
            assert (await ask(made["teacher"], "面包")).hit
            assert not (await ask(made["judge"], "面包")).hit
    assert [c.headers["Authorization"] for c in server.calls] == [f"Bearer {KEY}"] * 2
    assert (purse.spent.calls, purse.spent.hits) == (2, 1)


async def test_recorded_answers_are_a_server_for_as_long_as_the_engines(tmp_path: Path) -> None:
    recipe = Recipe(teacher=Endpoint(recorded=RECORDINGS))
    for hit in (False, True):  # another port each time, and yet the same teacher to the store
        async with engines(recipe, tmp_path / "calls", Purse()) as made:
            reply = await ask(made["judge"], first_question())
            assert reply.hit is hit
            assert made["teacher"].endpoint.model == RECORDED


def first_question() -> str:
    return json.loads(located(RECORDINGS).read_text().splitlines()[0])["turns"][0]


async def test_what_a_run_spent_before_it_was_killed_counts_towards_its_caps_and_the_next_run_starts_anew(
    tmp_path: Path,
) -> None:
    caps = Budget.model_validate({"calls": 5, "stages": {"judge": {"calls": 1}}})
    async with FaultsServer() as server:
        recipe = Recipe(budget=caps, teacher=endpoint(base_url=server.url))
        for run, refused in (("00001", 0), ("00001", 1), ("00002", 0)):
            async with engines(recipe, tmp_path / "calls", Purse(caps), run) as made:
                asked = [made["teacher"].call(question(f"{run} {refused} {i}"), 0, Count()) for i in range(3)]
                ends = await asyncio.gather(*asked, return_exceptions=True)
            assert sum(isinstance(e, BudgetReached) for e in ends) == refused
    assert len(server.calls) == 8


def question(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "temperature": 0.0, "max_tokens": 10}
