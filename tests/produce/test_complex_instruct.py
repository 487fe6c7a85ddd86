"""Complex instructions: constraints are added to a prompt in words, kept as data, and never more than fit."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tasks.constraint.draw import Material, drawn
from tasks.constraint.length import Paragraphs
from tasks.constraint.register import compatible, read
from tasks.constraint.wording import wordings
from tasks.link import Linked
from tasks.loop import Bench, run
from tasks.produce.complex_instruct import ComplexInstruct, Fitting, bounds, material, usable
from tasks.prompt import load
from tasks.record import Record
from tasks.schema import records
from tasks.shard import write_records
from tests.engines import engine_at, teacher_at
from tests.faults import FaultsServer, by_schema
from tests.rows import HOSTILE, ask

EN = {"keywords": ["rain", "old station"], "avoid": ["youth"], "opening": "This morning", "closing": "write soon"}
ZH = {"keywords": ["车站", "旧照片"], "avoid": ["青春"], "opening": "今天收拾屋子", "closing": "盼你回信"}
SAID = {"en": EN, "zh": ZH}
PROMPTS = {"en": "Write a letter to an old friend.", "zh": "写一封信给老同学。"}
STEP = ComplexInstruct()


def writing(language: str, text: str = "", **known: str) -> Record:
    return ask(text or PROMPTS[language], **{"task_type": "writing", **known})


def reply(language: str, **other: object) -> dict[str, str]:
    return {"fitting": json.dumps({**SAID[language], **other}, ensure_ascii=False)}


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_prompt_is_kept_and_another_made_that_asks_for_what_its_record_says(language: str, tmp_path: Path):
    before = writing(language)
    async with FaultsServer(by_schema(reply(language))) as server, teacher_at(server, tmp_path) as teacher:
        outcomes = [await STEP(before, teacher, Random(seed)) for seed in range(30)]
    assert len(server.calls) == 1
    for outcome in outcomes:
        kept, made = outcome.out
        constraints = tuple(map(read, made.constraints))
        assert (kept, outcome.balanced) == (before, True)
        assert 2 <= len(constraints) <= 5
        assert compatible(constraints)
        assert made.instruction.startswith(before.instruction)
        assert all(any(w in made.instruction for w in wordings(c, language)) for c in constraints)
        assert made.lineage[-1].step == "complex_instruct/material"
        assert made.lineage[-1].prompt == load("complex_instruct/material", language).sha256
        assert (made.task_type, made.derived_from, made.answered) == ("writing", before.roots, False)
    assert len({o.out[1].prompt_id for o in outcomes}) > 20


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_other_task_types_and_prompts_with_constraints_pass_without_a_call(language: str, tmp_path: Path):
    others = [
        writing(language, task_type="mathematics"),
        replace(writing(language), constraints=('{"kind": "no_commas"}',)),
    ]
    async with FaultsServer(by_schema(reply(language))) as server, teacher_at(server, tmp_path) as teacher:
        assert [(await STEP(r, teacher, Random(0))).out for r in others] == [(r,) for r in others]
        assert server.calls == []


@pytest.mark.parametrize("said", ["no json", "{}", '{"keywords": "rain", "avoid": [], "opening": "", "closing": ""}'])
async def test_a_reply_that_cannot_be_read_leaves_the_prompt_as_it_is(said: str, tmp_path: Path):
    async with FaultsServer(by_schema({"fitting": said})) as server, teacher_at(server, tmp_path) as teacher:
        outcome = await STEP(writing("en"), teacher, Random(0))
    assert (outcome.out, outcome.noted) == ((writing("en"),), ("unreadable_reply",))
    assert len(server.calls) == 2


async def test_where_too_few_constraints_fit_the_candidate_is_eliminated(tmp_path: Path):
    nothing = reply("zh", keywords=[], avoid=[], opening="", closing="")
    async with FaultsServer(by_schema(nothing)) as server, teacher_at(server, tmp_path) as teacher:
        outcome = await ComplexInstruct(least=40, most=40)(writing("zh"), teacher, Random(0))
    assert [d.reason for d in outcome.dropped] == ["few_constraints"]
    assert (outcome.out, outcome.balanced) == ((writing("zh"),), True)


@pytest.mark.parametrize("text", ["写一封不少于100字的信。", "Write a letter of at least 100 words."])
async def test_a_length_that_the_prompt_states_is_not_contradicted(text: str, tmp_path: Path):
    language = "zh" if "写" in text else "en"
    async with FaultsServer(by_schema(reply(language))) as server, teacher_at(server, tmp_path) as teacher:
        kinds = {
            read(c).name
            for seed in range(60)
            for c in (await STEP(writing(language, text), teacher, Random(seed))).out[1].constraints
        }
    assert not kinds & {"words", "characters", "sentences", "repeats_prompt"}
    assert "emoji" in kinds


@pytest.mark.parametrize("text", ["写一段介绍民宿的文字。", "幫我寫一段文案。", "Write a short paragraph about us."])
def test_a_prompt_for_one_paragraph_is_not_asked_for_several(text: str):
    assert bounds(text) == (Paragraphs(1, 1),)
    language = "en" if text.isascii() else "zh"
    kinds = {c.name for seed in range(60) for c in drawn(Random(seed), Material(text, language), 5, bounds(text))}
    assert not kinds & {"paragraphs", "bullets", "numbered", "headings", "two_responses"}
    assert {"words", "emoji"} <= kinds


@pytest.mark.parametrize(
    ("text", "brief"),
    [
        ("替我写几句话安慰女儿。", True),
        ("幫我寫一句廣告語。", True),
        ("Write a few sentences to cheer her up.", True),
        ("写一封信安慰女儿，别写错句子。", False),
        ("一段时间没联系了，写封信给她。", False),
        ("Write a letter about the lines at the post office.", False),
    ],
)
def test_a_prompt_for_a_sentence_or_two_gets_no_demand_that_needs_a_long_answer(text: str, brief: bool):
    language = "en" if text.isascii() else "zh"
    fitting = Fitting.model_validate(EN if language == "en" else ZH)
    assert material(writing(language, text), fitting).brief == brief
    assert bounds(text) == ()


async def test_what_the_prompt_says_itself_is_not_forbidden_and_verse_gets_constraints_of_verse():
    fitting = Fitting.model_validate({**ZH, "avoid": ["老同学", "青春", "“引”", "x" * 99, " "]})
    made = material(writing("zh"), fitting)
    assert made.unwanted == ("青春",)
    assert not made.verse
    assert material(writing("zh", "写一首七言诗"), fitting).verse
    assert material(writing("en", "a haiku on rain"), fitting).verse
    assert material(writing("zh", subtype="verse"), fitting).verse
    assert not material(writing("zh", "写一个词典条目"), fitting).verse
    assert [usable(w) for w in ("rain", "C++", "", "a\nb", "{x}", "“a”", "**a**", "。a")] == [True, True] + [False] * 6


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_fenced_when_it_is_asked_and_stands_as_it_is_in_what_is_made(text: str, tmp_path: Path):
    async with FaultsServer(by_schema(reply("en"))) as server, teacher_at(server, tmp_path) as teacher:
        outcome = await STEP(writing("en", text), teacher, Random(3))
    system, user = server.calls[0].body["messages"]
    assert text not in system["content"]
    assert user["content"].strip().startswith("<request ")
    assert text in user["content"]
    assert outcome.out[1].instruction.startswith(text)


async def test_the_loop_accounts_for_what_is_made_and_what_passes(tmp_path: Path):
    rows = [writing("en"), writing("zh"), ask("二加二等于几？", 2, task_type="mathematics")]
    shard = write_records(rows, tmp_path / "in.parquet")
    async with FaultsServer(by_schema(reply("zh"))) as server, engine_at(server, tmp_path) as engine:
        bench = Bench(tmp_path / "work", 7, engines={"teacher": engine})
        tally = await run(Linked(STEP, "complex_instruct", "produce"), [shard], bench)
    made = [r for s in tally.shards for r in records(s.table())]
    assert (tally.seen, tally.made, tally.out) == (3, 2, 5)
    assert sum(bool(r.constraints) for r in made) == 2


@pytest.mark.parametrize(("language", "text"), [("en", "The meeting was moved by us."), ("zh", "会议被我们改期了。")])
def test_a_sentence_to_be_rewritten_has_a_brief_answer_and_a_page_has_not(language: str, text: str):
    fitting = Fitting(keywords=[], avoid=[], opening="", closing="")
    for given, brief in ((text, True), (text * 20, False)):
        assert material(replace(writing(language, given), task_type="rewriting"), fitting).brief == brief
    assert not material(writing(language, text), fitting).brief
