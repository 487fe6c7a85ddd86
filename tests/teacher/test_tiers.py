from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.answer.distill import Distill
from tasks.loop import Bench, key, run
from tasks.recipe import Recipe, RecipeError, checked
from tasks.record import Record
from tasks.schema import records, table
from tasks.shard import Shard, write
from tasks.tally import Tally
from tasks.teacher.budget import Purse
from tasks.teacher.connect import engines
from tasks.teacher.endpoints import check
from tasks.teacher.tiers import identities
from tests import faults
from tests.engines import KEY
from tests.faults import Call, Fault, FaultsServer, always, refused
from tests.rows import ask

MODELS = {"teacher": "m-1", "strong": "m-strong", "spare": "m-spare"}
ASKS = [
    ask("Write a sort in Python.", 1, task_type="code"),
    ask("用Python写一个排序。", 2, task_type="code"),
    ask("Why is bread soft?", 3, task_type="question_answering"),
    ask("面包为什么是软的？", 4, task_type="question_answering"),
]
STEP = Distill(chain_of_thought_for=(), tier_for=(("code", "strong"),))
unusable = always(refused(401, "", "no such key"))
down = always(faults.bad_gateway)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in MODELS:
        monkeypatch.setenv(f"{name.upper()}_KEY", f"{KEY}-{name}")


def endpoint(name: str, url: str = "http://127.0.0.1:9/v1", **known: Any) -> dict[str, Any]:
    same = {"base_url": url, "api_key_env": f"{name.upper()}_KEY", "attempts": 1, "licence": f"licence of {name}"}
    return {"model": MODELS[name], **same, **known}


def recipe(fallback: str | None = "spare", urls: dict[str, str] | None = None, **known: Any) -> Recipe:
    made = {name: endpoint(name, **({"base_url": urls[name]} if urls else {})) for name in MODELS}
    teacher = made.pop("teacher")
    return checked({"teacher": teacher, "tiers": made, "fallback": fallback, **known})


@asynccontextmanager
async def three(
    folder: Path, fallback: str | None = "spare", **scripts: faults.Script
) -> AsyncIterator[tuple[Bench, dict[str, FaultsServer], Purse]]:
    """A bench with the teacher, a strong tier and a spare one, each at a server of its own."""
    async with AsyncExitStack() as stack:
        servers = {
            name: await stack.enter_async_context(FaultsServer(script=scripts.get(name, always_well)))
            for name in MODELS
        }
        purse, known = Purse(), recipe(fallback, {n: s.url for n, s in servers.items()})
        made = await stack.enter_async_context(engines(known, folder / "calls.sqlite", purse))
        for one in made.values():
            one.backoff = 0.001
        yield Bench(folder / "work", 7, engines=made), servers, purse


def always_well(_: Call) -> Fault | None:
    return None


def shards(folder: Path, rows: list[Record]) -> list[Shard]:
    return [write(table(rows), folder / "given.parquet")]


def taught(tally: Tally) -> dict[str, tuple[str, str, str]]:
    """Who answered each question: the row's teacher and licence, and its lineage."""
    rows = [record for shard in tally.shards for record in records(shard.table())]
    return {r.instruction: (r.teacher, r.licence, r.lineage[-1].model) for r in rows}


def by(name: str) -> tuple[str, str, str]:
    return MODELS[name], f"licence of {name}", MODELS[name]


async def test_a_task_type_is_answered_by_its_tier_and_every_other_by_the_teacher(tmp_path: Path) -> None:
    async with three(tmp_path) as (bench, servers, _):
        tally = await run(STEP, shards(tmp_path, ASKS), bench)
    assert taught(tally) == {r.instruction: by("strong" if r.task_type == "code" else "teacher") for r in ASKS}
    assert {name: len(s.calls) for name, s in servers.items()} == {"teacher": 2, "strong": 2, "spare": 0}
    assert servers["strong"].calls[0].headers["Authorization"] == f"Bearer {KEY}-strong"
    assert servers["strong"].calls[0].body["model"] == "m-strong"
    assert (tally.spent.calls, tally.spent.fallbacks) == (4, 0)


@pytest.mark.parametrize("script", [unusable, down], ids=["unusable", "down"])
async def test_the_fallback_answers_for_an_endpoint_that_is_out_and_is_counted(
    script: faults.Script, tmp_path: Path
) -> None:
    async with three(tmp_path, strong=script) as (bench, _, purse):
        tally = await run(STEP, shards(tmp_path, ASKS), bench)
    assert taught(tally) == {r.instruction: by("spare" if r.task_type == "code" else "teacher") for r in ASKS}
    assert (tally.pending, tally.stopped, tally.spent.fallbacks, purse.spent.fallbacks) == (0, {}, 2, 2)


async def test_the_teacher_can_be_the_fallback_of_a_tier(tmp_path: Path) -> None:
    async with three(tmp_path, fallback="teacher", strong=unusable) as (bench, _, _):
        tally = await run(STEP, shards(tmp_path, ASKS), bench)
    assert set(taught(tally).values()) == {by("teacher")}
    assert tally.spent.fallbacks == 2


async def test_an_outage_in_the_middle_of_a_run_sends_the_rest_to_the_fallback(tmp_path: Path) -> None:
    rows = [ask(f"Write sort number {i}.", i, task_type="code") for i in range(20)]

    def after_five(call: Call) -> Fault | None:
        return refused(429, "insufficient_quota", "spent") if call.number >= 5 else None

    async with three(tmp_path, strong=after_five) as (bench, servers, _):
        tally = await run(STEP, shards(tmp_path, rows), bench)
    teachers = [who[0] for who in taught(tally).values()]
    assert (teachers.count("m-strong"), teachers.count("m-spare")) == (5, 15)
    assert (tally.out, tally.pending, tally.spent.fallbacks) == (20, 0, 15)
    assert len(servers["spare"].calls) == 15


async def test_a_row_waits_when_both_are_out_and_the_run_stops_only_if_neither_can_be_used(tmp_path: Path) -> None:
    code = ASKS[:2]
    ends = {}
    for name, spare in (("both unusable", unusable), ("the spare one down", down)):
        async with three(tmp_path / name, strong=unusable, spare=spare) as (bench, _, _):
            ends[name] = await run(STEP, shards(tmp_path / name, code), bench)
    assert [(t.out, t.pending, t.spent.fallbacks) for t in ends.values()] == [(0, 2, 0)] * 2
    assert list(ends["both unusable"].stopped) == ["teacher"]
    assert list(ends["the spare one down"].stopped) == ["outage"]
    said = ends["both unusable"].stopped["teacher"]
    assert "STRONG_KEY" in said
    assert "the fallback" in said
    assert "SPARE_KEY" in said
    assert KEY not in said


async def test_without_a_fallback_a_tier_that_cannot_be_used_stops_the_run(tmp_path: Path) -> None:
    async with three(tmp_path, fallback=None, strong=unusable) as (bench, _, _):
        tally = await run(STEP, shards(tmp_path, ASKS), bench)
    assert (tally.out, tally.pending, list(tally.stopped)) == (2, 2, ["teacher"])


async def test_no_answer_is_an_answer_and_no_reason_to_ask_elsewhere(tmp_path: Path) -> None:
    async with three(tmp_path, strong=always(faults.cut_at_limit)) as (bench, servers, _):
        tally = await run(STEP, shards(tmp_path, ASKS), bench)
    assert (tally.dropped, tally.spent.fallbacks, len(servers["spare"].calls)) == ({"truncated": 2}, 0, 0)


async def test_the_key_of_a_shard_covers_every_endpoint_that_the_step_may_ask(tmp_path: Path) -> None:
    given = shards(tmp_path, ASKS)
    changes: list[dict[str, Any]] = [
        {},
        {"teacher": endpoint("teacher", model="m-2")},
        {"tiers": {"strong": endpoint("strong", model="m-2"), "spare": endpoint("spare")}},
        {"tiers": {"strong": endpoint("strong", licence="another"), "spare": endpoint("spare")}},
        {"tiers": {"strong": endpoint("strong"), "spare": endpoint("spare", "http://127.0.0.1:10/v1")}},
        {"fallback": None},
    ]
    found = set()
    for change in changes:
        async with engines(recipe(**change), tmp_path / "calls.sqlite", Purse()) as made:
            found.add(key(STEP, given, Bench(tmp_path, 7, engines=made)))
            assert identities(replace(STEP, tier_for=()), made)[0][1] == made["teacher"].endpoint.model
    assert len(found) == len(changes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fallback": "sparse"}, "fallback: there is no tier sparse; there are teacher, strong, spare"),
        ({"answer": {"tier_for": {"code": "stron"}}}, "answer.tier_for.code: there is no tier stron"),
        ({"tiers": {"judge": endpoint("spare")}, "fallback": None}, "tiers.judge: that name is taken"),
        ({"tiers": {"spare": {"recorded": "answers.jsonl"}}}, "may not be mixed"),
    ],
)
def test_a_recipe_that_cannot_be_meant_so_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        recipe(**change)


def test_a_tier_without_its_key_is_named_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    check(recipe())
    monkeypatch.delenv("STRONG_KEY")
    with pytest.raises(RecipeError, match="no key for the tier strong: STRONG_KEY is not set") as fault:
        check(recipe())
    assert fault.value.where == "tiers.strong.api_key_env"
