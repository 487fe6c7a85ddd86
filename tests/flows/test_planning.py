"""A plan beside the run that follows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.planning import DRAWN, planned
from tasks.history.dataset import Dataset
from tasks.link import AnyStep
from tasks.loop import Bench, run
from tasks.recipe import Recipe, located, read
from tasks.record import Record
from tasks.shard import Shard, write_records
from tasks.step import room
from tasks.teacher.budget import Purse
from tasks.teacher.connect import engines
from tests.flows.conftest import PROJECT, Done
from tests.flows.teachers import good, teacher
from tests.rows import ask, spoken

Flywheel = Callable[..., Done]
SAMPLES = str(PROJECT / "deployments" / "recipes" / "samples.yaml")
KNOWN: dict[str, Any] = {"task_type": "classification", "subtype": "intent", "domain": "general"}
RECORDINGS = "data/samples/recorded.jsonl"


def samples(language: str) -> list[Record]:
    """What is asked in the samples, in one language."""
    plain = [json.loads(line) for line in located(RECORDINGS).read_text().splitlines()]
    found = [(p["turns"], i) for i, p in enumerate(plain) if spoken(p["turns"][-1]) == language]
    return [ask(last, i, before=[t for turn in earlier for t in (turn, "…")]) for (*earlier, last), i in found]


def steps(recipe: Recipe) -> list[AnyStep]:
    """What a run asks, in its order. Prefect is imported once the session's server is up, or it would start another."""
    from flows.refresh import answering

    return [step for _, step in answering(recipe)]


def plan_of(recipe: Recipe, folder: Path, records: list[Record]) -> dict[str, Any]:
    dataset = Dataset(folder)
    dataset.work.mkdir(parents=True, exist_ok=True)
    shard = write_records(records, folder / "given" / "rows.parquet")
    return asyncio.run(planned(recipe, dataset, steps(recipe), [shard]))


def run_of(recipe: Recipe, folder: Path, records: list[Record]) -> dict[str, Any]:
    """What each stage spends for real."""

    async def spend() -> dict[str, Any]:
        given: tuple[Shard, ...] = (write_records(records, folder / "given" / "rows.parquet"),)
        spent: dict[str, Any] = {}
        async with AsyncExitStack() as stack:
            made = await stack.enter_async_context(engines(recipe, folder / "calls.sqlite", Purse()))
            bench = Bench(folder / "work", recipe.seed, engines={**made})
            for step in steps(recipe):
                tally = await run(step, given, bench)
                given = tally.shards
                spent |= {room(step): tally.spent} if tally.spent.calls else {}
        return spent

    return asyncio.run(spend())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_stage_comes_within_a_fifth_of_its_plan(language: str, tmp_path: Path) -> None:
    recipe, records = read(SAMPLES, ()), samples(language)[::3]
    plan, spent = plan_of(recipe, tmp_path, records), run_of(recipe, tmp_path, records)
    assert [*plan["stages"]] == [*spent] == ["label", "answer", "judge"]
    for stage, figures in plan["stages"].items():
        for what in ("calls", "tokens_in", "tokens_out"):
            assert figures[what] == pytest.approx(getattr(spent[stage], what), rel=0.2), (stage, what)
    again = plan_of(recipe, tmp_path, records)
    assert (again["calls"], again["hits"], again["tokens_in"], again["usd"]) == (0, len(records) * 3, 0, 0)


def test_a_plan_says_its_money_its_time_and_which_caps_will_not_do(tmp_path: Path) -> None:
    price, rates = {"input": 1, "output": 10}, {"rpm": 10, "output_tpm": 100}
    plain = {"teacher": {"model": "ours", "price": price, **rates}, "budget": {"calls": 29}}
    recipe = Recipe.model_validate(plain | {"judge": {"model": "theirs", "price": price}})
    plan = plan_of(recipe, tmp_path, samples("zh")[:10])
    answer = plan["stages"]["answer"]
    assert plan["usd"] == pytest.approx((plan["tokens_in"] + 10 * plan["tokens_out"]) / 1e6, rel=1e-3)
    assert plan["usd"] == pytest.approx(sum(s["usd"] for s in plan["stages"].values()))
    assert plan["minutes"] == round(answer["tokens_out"] / 100, 1)
    assert plan["over"] == ["budget.calls of 29 will not do: this may come to 30"]
    assert plan["unpriced"] == []


def test_a_plan_names_the_fields_without_which_nobody_knows_the_money(tmp_path: Path) -> None:
    recipe = Recipe.model_validate({"judge": {"model": "our-own-finetune", "base_url": "http://localhost:1/v1"}})
    plan = plan_of(recipe, tmp_path, samples("en")[:3])
    assert plan["unpriced"] == ["judge.price", "teacher.model"]
    assert plan["tokens_in"] > 0


def test_many_prompts_are_planned_by_some_of_them(tmp_path: Path) -> None:
    recipe, records = Recipe(), [ask(f"Question {i}: why is it {i % 7} and not more?", i) for i in range(3 * DRAWN)]
    few, many = plan_of(recipe, tmp_path, records[:DRAWN]), plan_of(recipe, tmp_path, records)
    assert (many["prompts"], many["drawn"], few["drawn"]) == (3 * DRAWN, DRAWN, DRAWN)
    assert many["calls"] == 3 * few["calls"]
    for what in ("tokens_in", "tokens_out"):
        assert many[what] == pytest.approx(3 * few[what], rel=0.02)


def test_no_prompts_are_a_plan_of_nothing(tmp_path: Path) -> None:
    plan = plan_of(Recipe(), tmp_path, [])
    assert (plan["prompts"], plan["calls"], plan["usd"], plan["over"]) == (0, 0, 0, [])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_small_model_will_answer_costs_nothing_and_is_judged(language: str, tmp_path: Path) -> None:
    said = {"en": "Classify what customer {} wants, by its tone: {}", "zh": "请把第{}位顾客的意图分类，按语气判断：{}"}
    records = [replace(ask(said[language].format(i, "?" * i), i), **KNOWN) for i in range(160)]
    others = [replace(ask(f"Why {i}?", 200 + i), **KNOWN | {"task_type": "writing"}) for i in range(40)]
    at = {"model": "tiny", "base_url": "http://127.0.0.1:9/v1"}
    small = {"task_type": "classification", "rows": 60, "train": ["train.sh"], "at": at}
    recipe = Recipe.model_validate({"teacher": {"model": "m"}, "answer": {"small_model": small}})
    plan = plan_of(recipe, tmp_path, [*records, *others])
    assert (plan["answer_calls"], plan["judge_calls"], plan["spared"]) == (60 + 40, 200, 100)
    all_of_it = Recipe.model_validate({"teacher": {"model": "m"}, "answer": {"small_model": small | {"rows": 1000}}})
    plan = plan_of(all_of_it, tmp_path, [*records, *others])
    assert (plan["answer_calls"], plan["spared"]) == (200, 0)


def test_a_small_models_share_is_scaled_as_the_prompts_are(tmp_path: Path) -> None:
    records = [replace(ask(f"Classify number {i}: {i % 7}?", i), **KNOWN) for i in range(2 * DRAWN)]
    at = {"model": "tiny", "base_url": "http://127.0.0.1:9/v1"}
    small = {"task_type": "classification", "rows": 100, "train": ["train.sh"], "at": at}
    recipe = Recipe.model_validate({"teacher": {"model": "m"}, "answer": {"small_model": small}})
    plan = plan_of(recipe, tmp_path, records)
    assert (plan["answer_calls"], plan["spared"]) == (100, 2 * DRAWN - 100)


def logs(path: Path) -> str:
    rows = [r.row() for r in samples("en")[:8]]
    said = [{"id": str(i), "created_at": "2026-11-01T08:00:00Z", **r, "response": ""} for i, r in enumerate(rows)]
    keys = ("id", "created_at", "messages", "response")
    path.write_text("".join(json.dumps({k: row[k] for k in keys}) + "\n" for row in said))
    return str(path)


def told(source: str, lake: Path, url: str, *more: str) -> list[str]:
    command = ["refresh", "--json", "--source", source, "--out", str(lake), *more]
    return [*command, "--set", "teacher.model=canned", "--set", f"teacher.base_url={url}"]


def standing(lake: Path) -> dict[str, bytes]:
    """What a run left but for when it was."""
    found = [p for kind in ("versions", "increments", "work") for p in (lake / "weekly" / kind).rglob("*")]
    return {str(p.relative_to(lake)): p.read_bytes() for p in found if p.is_file()}


def test_a_run_after_a_plan_is_the_run_without_one(flywheel: Flywheel, afresh: Flywheel, tmp_path: Path) -> None:
    source, lake, bare = logs(tmp_path / "logs.jsonl"), tmp_path / "lake", tmp_path / "bare"
    with teacher(good) as paid:
        assert flywheel(*told(source, lake, paid.url, "--plan")).code == 0
        assert not paid.asked
        assert not (lake / "weekly" / "calls.sqlite").exists()
        left = {"/".join(name.split("/")[1:3]) for name in standing(lake)}
        assert left == {f"work/{step}" for step in ("pull", "written", "placeholders", "worth", "repeated", "prompts")}
        after = flywheel(*told(source, lake, paid.url), OPENAI_API_KEY="k")
        without = afresh(*told(source, bare, paid.url), OPENAI_API_KEY="k")
    assert after.json["status"] == "published"
    assert after.json["teacher"] == without.json["teacher"]
    assert standing(lake) == standing(bare)


def test_a_plan_after_a_run_that_was_cut_short_counts_what_is_left(flywheel: Flywheel, tmp_path: Path) -> None:
    source, lake = logs(tmp_path / "logs.jsonl"), tmp_path / "lake"
    with teacher(good) as paid:
        assert flywheel(*told(source, lake, paid.url, "--set", "budget.calls=12"), OPENAI_API_KEY="k").code == 4
        done = flywheel(*told(source, lake, paid.url, "--plan", "--set", "budget.calls=5"))
        assert len(paid.asked) == 12
    plan = done.json["plan"]
    assert (plan["label_calls"], plan["answer_calls"], plan["judge_calls"], plan["hits"]) == (0, 4, 8, 12)
    assert plan["over"] == ["budget.calls of 5 will not do: this may come to 12"]
