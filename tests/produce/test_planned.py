"""Techniques in a plan: the replies that they suppose pass their own checks, so that what follows is planned too."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from flows.planning import references
from tasks.answer.meta_reasoning import MetaReasoning
from tasks.answer.multi_teacher import MultiTeacher
from tasks.answer.rejection_sampling import RejectionSampling
from tasks.answer.thoughts import IMPOSSIBLE, Valued
from tasks.answer.tree_of_thoughts import TreeOfThoughts
from tasks.label.task_type import TaskType
from tasks.link import AnyStep
from tasks.loop import Bench, run
from tasks.produce.alpaca import Alpaca
from tasks.produce.complex_instruct import ComplexInstruct
from tasks.produce.decompose import Decompose
from tasks.produce.dialogue import Dialogue
from tasks.produce.documents import Documents
from tasks.produce.evol_instruct import EvolInstruct
from tasks.produce.long_context import LongContext
from tasks.produce.multi_turn import MultiTurn
from tasks.produce.rag import Rag
from tasks.produce.rag_router import RagRouter
from tasks.produce.rewrite_forms import RewriteForms
from tasks.produce.round_trip import RoundTrip
from tasks.produce.self_instruct import SelfInstruct
from tasks.produce.self_qa import SelfQA
from tasks.produce.tool_use import ToolUse
from tasks.produce.translated import Translated
from tasks.recipe import Endpoint, located
from tasks.shard import Shard, write_records
from tasks.tally import Tally
from tasks.taxonomy import Taxonomy
from tasks.teacher.invented import Asked
from tasks.teacher.known import Known
from tasks.teacher.planner import Planner
from tests.engines import IDENTITY
from tests.rows import ask, spoken

ASKED = {
    "en": (
        "Shorten “the keeper of the harbour lamp” to 3 words and say why the year 1893 mattered.",
        "Run `sorted(x, key=len)` on 12.5 and 3,000 items, then write to [EMAIL_1] about it.",
    ),
    "zh": (
        "把“港口灯塔的看守人”缩成3个词，再说说1893年为什么重要。",
        "用`sorted(x, key=len)`排12.5和3000两组数，然后给[EMAIL_1]写封信。",
    ),
}
MUCH = {
    "en": ("Write a novel about a lighthouse and a debt.", "Write a 5,000-word report on the harbour."),
    "zh": ("写一部讲灯塔和旧债的小说。", "写一篇8000字的港口调查报告。"),
}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])


async def planned(step: AnyStep, shards: Iterable[Shard], folder: Path, awaited: Iterable[str] = ()) -> Tally:
    """A step at work in a plan that knows nothing."""
    shards = list(shards)
    planner = Planner(Endpoint(model="m-1"), IDENTITY, "teacher", Known(None))
    planner.example, planner.awaited = getattr(step, "example", None), frozenset(awaited)
    planner.references = references(shards)
    return await run(step, shards, Bench(folder / "work", 7, engines={"teacher": planner, "judge": planner}))


def prompts(language: str, folder: Path, **known: Any) -> list[Shard]:
    return [write_records([ask(q, i, **known) for i, q in enumerate(ASKED[language])], folder / "asked.parquet")]


async def passages(language: str, folder: Path) -> tuple[Shard, ...]:
    files = (f"data/documents/{language}",)
    step: Any = Documents(files, length=400, least=60)
    return (await run(step, [], Bench(folder / "read", 7))).shards


@LANGUAGES
@pytest.mark.parametrize("step", [SelfQA(questions=3), Dialogue(), Rag()])
async def test_rows_from_texts_are_grounded_in_them(step: Any, language: str, tmp_path: Path) -> None:
    texts = await passages(language, tmp_path)
    tally = await planned(step, texts, tmp_path)
    lost = sum(n for reason, n in tally.dropped.items() if reason != "used")
    assert tally.made >= 2 * sum(s.rows for s in texts)
    assert lost <= 0.2 * tally.made, tally.dropped


@LANGUAGES
@pytest.mark.parametrize("step", [RewriteForms(), RoundTrip(), Translated(("en", "zh")), EvolInstruct(rounds=2)])
async def test_other_forms_of_a_prompt_keep_its_language_numbers_quotes_and_code(
    step: Any, language: str, tmp_path: Path
) -> None:
    tally = await planned(step, prompts(language, tmp_path), tmp_path)
    assert tally.out > len(ASKED[language])
    assert tally.dropped == {}


@LANGUAGES
@pytest.mark.parametrize(
    "step", [RagRouter(20), ToolUse(20), MultiTurn(20, system_effective=0)], ids=lambda s: type(s).__name__
)
async def test_what_grows_from_nothing_reaches_its_target_without_losses(
    step: Any, language: str, tmp_path: Path
) -> None:
    tally = await planned(replace(step, languages=(language,)), [], tmp_path)
    assert (tally.out, tally.stopped) == (20, {})
    assert sum(tally.dropped.values()) <= 2, tally.dropped


@LANGUAGES
@pytest.mark.parametrize("step", [Alpaca, SelfInstruct])
async def test_tasks_that_are_grown_pass_the_screen(step: Any, language: str, tmp_path: Path) -> None:
    tally = await planned(step(language, target=20), [], tmp_path)
    assert (tally.out, tally.stopped) == (20, {})


@LANGUAGES
async def test_a_long_text_is_asked_for_terms_that_it_has(language: str, tmp_path: Path) -> None:
    step = LongContext(shortest=100, passkey=0, summary=0)
    tally = await planned(step, await passages(language, tmp_path), tmp_path)
    assert tally.made >= 8


@LANGUAGES
async def test_a_prompt_gets_constraints_and_one_that_is_too_much_its_parts(language: str, tmp_path: Path) -> None:
    asked = prompts(language, tmp_path, task_type="writing", subtype="story", domain="general")
    assert (await planned(ComplexInstruct(), asked, tmp_path)).made == 2
    assert (await planned(Decompose(), asked, tmp_path)).spent.calls == 2
    big = [write_records([ask(text, i) for i, text in enumerate(MUCH[language])], tmp_path / "big.parquet")]
    assert (await planned(Decompose(), big, tmp_path)).made == 2 * (1 + 5)


@LANGUAGES
@pytest.mark.parametrize(
    "step", [MultiTeacher(choose="vote"), RejectionSampling(k=3), TreeOfThoughts(breadth=2, depth=2)]
)
async def test_answers_that_are_held_against_each_other_agree(step: Any, language: str, tmp_path: Path) -> None:
    tally = await planned(step, prompts(language, tmp_path), tmp_path)
    assert (tally.out, tally.dropped) == (2, {})


@LANGUAGES
async def test_solutions_come_to_the_reference_of_their_question_in_two_ways(language: str, tmp_path: Path) -> None:
    lines = map(json.loads, located("data/datasets/maths.jsonl").read_text("utf-8").splitlines())
    known = [one for one in lines if one["language"] == language]
    asked = [ask(one["question"], i, reference=one["answer"]) for i, one in enumerate(known)]
    tally = await planned(RejectionSampling(), [write_records(asked, tmp_path / "asked.parquet")], tmp_path)
    assert tally.dropped == {}
    assert 1.8 * len(known) <= tally.out <= 2 * len(known)


@LANGUAGES
def test_half_of_the_ways_of_a_search_are_held_impossible(language: str) -> None:
    system = {"en": "You value a step.", "zh": "你来评价一个步骤。"}[language]
    asked = [Asked((system, ASKED[language][0]), 32, Random(i), "valued") for i in range(400)]
    said = [Valued.model_validate(TreeOfThoughts().example(one)).value for one in asked]
    assert set(said) == {"en": {"sure", "impossible"}, "zh": {"一定", "不可能"}}[language]
    assert 150 <= sum(word in IMPOSSIBLE for word in said) <= 250


@LANGUAGES
async def test_small_questions_find_something_in_the_corpus(language: str, tmp_path: Path) -> None:
    lines = map(json.loads, located("data/corpus/questions.jsonl").read_text("utf-8").splitlines())
    asked = [ask(one["question"], i) for i, one in enumerate(lines) if spoken(one["question"]) == language][:2]
    tally = await planned(MetaReasoning(), [write_records(asked, tmp_path / "asked.parquet")], tmp_path)
    assert tally.out == 2
    assert 2 * (5 * 2 + 1) <= tally.spent.calls <= 2 * (5 * 3 + 1)


CODE = {"en": "Write a Python function that merges two sorted lists.", "zh": "写一个 Python 函数，合并两个有序列表。"}
TEAM = """
task_types:
  couplets: {en: Couplets, zh: 对联, subtypes: {new_year: {en: for the New Year, zh: 春联}}}
  riddles: {en: Riddles, zh: 谜语, subtypes: {lantern: {en: for lanterns, zh: 灯谜}}}
domains: {general: {en: general, zh: 通用}}
"""


@LANGUAGES
async def test_a_prompt_is_labelled_as_what_it_is_likely_to_be_else_as_what_a_later_step_waits_for(
    language: str, tmp_path: Path
) -> None:
    asked = [write_records([ask(CODE[language])], tmp_path / "asked.parquet")]
    tally = await planned(TaskType(Taxonomy.read("data/taxonomy.yaml")), asked, tmp_path)
    assert types(tally) == ["code"]
    (tmp_path / "types.yaml").write_text(TEAM, "utf-8")
    step = TaskType(Taxonomy.read(str(tmp_path / "types.yaml")))
    for kind in ("couplets", "riddles"):
        assert types(await planned(step, asked, tmp_path / kind, awaited=[kind])) == [kind]


def types(tally: Tally) -> list[Any]:
    return [value for s in tally.shards for value in s.table(["task_type"]).column(0).to_pylist()]
