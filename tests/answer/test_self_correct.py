"""Self-correction: a draft, what code finds, corrections in a bounded number of rounds, drafts kept as rejected."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path
from random import Random

import pytest

from tasks.answer.self_correct import SelfCorrect
from tasks.constraint.length import Words
from tasks.constraint.marks import Emoji, NoCommas
from tasks.constraint.register import read, written
from tasks.constraint.wording import wordings
from tasks.link import Linked
from tasks.loop import Bench, run
from tasks.prompt import load
from tasks.record import Record
from tasks.schema import records
from tasks.shard import write_records
from tasks.step import Outcome
from tests import faults
from tests.engines import engine_at, teacher_at
from tests.faults import Body, FaultsServer, in_order
from tests.rows import HOSTILE, ask

GOOD = {"en": "rain " * 20 + "👍", "zh": "雨" * 20 + "👍"}
BAD = {"en": "rain, rain 👍", "zh": "雨，雨👍"}
LONG = {"en": "rain " * 14 + "👍", "zh": "雨" * 14 + "👍"}
CONSTRAINTS = (Words(20), NoCommas(), Emoji(1))


def asking(language: str, lead: str = "", system: str = "") -> Record:
    opening = lead or ("Write of rain." if language == "en" else "写雨。")
    said = " ".join([opening, *(wordings(c, language)[0] for c in CONSTRAINTS)])
    return replace(ask(said, system=system), constraints=tuple(map(written, CONSTRAINTS)), language=language)


def by_turn(replies: Sequence[str]) -> Callable[[Body], str]:
    """One reply after the other, the last of them for ever."""
    rest = chain(replies, repeat(replies[-1]))
    return lambda _: next(rest)


async def after(
    replies: Sequence[str],
    record: Record,
    folder: Path,
    step: SelfCorrect = SelfCorrect(),  # noqa: B008
) -> tuple[Outcome, list[Body]]:
    async with FaultsServer(by_turn(replies)) as server, teacher_at(server, folder, licence="mit") as teacher:
        outcome = await step(record, teacher, Random(0))
    assert outcome.balanced
    return outcome, [c.body for c in server.calls]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_draft_that_keeps_everything_is_the_answer_after_one_call(language: str, tmp_path: Path):
    outcome, calls = await after([GOOD[language]], asking(language, system="Be kind."), tmp_path)
    (made,) = outcome.out
    assert len(calls) == 1
    assert (made.response, made.rejected_answers) == (GOOD[language], ())
    assert (made.teacher, made.licence) == ("m-1", "mit")
    assert made.ask == asking(language, system="Be kind.").ask
    assert made.lineage[-1].step == "self_correct/draft"
    assert made.lineage[-1].prompt == load("self_correct/draft", language).sha256
    assert [m["role"] for m in calls[0]["messages"]] == ["system", "user"]
    assert calls[0]["messages"][0]["content"].endswith("Be kind.")


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_teacher_is_told_what_is_unmet_and_drafts_that_broke_it_are_kept_as_rejected(
    language: str, tmp_path: Path
):
    outcome, calls = await after([BAD[language], LONG[language], GOOD[language]], asking(language), tmp_path)
    (made,) = outcome.out
    assert made.response == GOOD[language]
    assert made.rejected_answers == (BAD[language], LONG[language])
    assert [s.step for s in made.lineage] == ["self_correct/draft", "self_correct/correct", "self_correct/correct"]
    assert [m["role"] for m in calls[1]["messages"]] == ["system", "user", "assistant", "user"]
    first, second = (c["messages"][-1]["content"] for c in calls[1:])
    assert all(wordings(c, language)[0] in first for c in CONSTRAINTS[:2])
    assert wordings(Emoji(1), language)[0] not in first
    assert wordings(NoCommas(), language)[0] not in second
    assert calls[2]["messages"][2]["content"] == LONG[language]
    assert first.split("\n")[0] not in made.instruction


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_what_is_unmet_to_the_end_has_its_prompt_edited_to_the_best_answer(language: str, tmp_path: Path):
    outcome, calls = await after([BAD[language], LONG[language]], asking(language), tmp_path, SelfCorrect(rounds=1))
    (made,) = outcome.out
    assert len(calls) == 2
    assert [d.reason for d in outcome.dropped] == ["used"]
    assert tuple(map(read, made.constraints)) == (Words(14), NoCommas(), Emoji(1))
    assert wordings(Words(14), language)[0] in made.instruction
    assert (made.response, made.rejected_answers) == (LONG[language], (BAD[language],))
    assert made.lineage[-1].step == "draw_target"
    assert made.teacher == "m-1"


async def test_the_answer_that_breaks_least_is_the_one_that_the_prompt_is_edited_to(tmp_path: Path):
    outcome, _ = await after([LONG["zh"], BAD["zh"]], asking("zh"), tmp_path, SelfCorrect(rounds=1))
    assert outcome.out[0].response == LONG["zh"]


@pytest.mark.parametrize(
    ("replies", "step", "detail"),
    [
        ([LONG["zh"]], SelfCorrect(rounds=1, unmet="reject"), "words"),
        ([BAD["en"]], SelfCorrect(rounds=0), "words, no_commas"),
    ],
)
async def test_what_may_not_or_cannot_be_edited_is_dropped(
    replies: list[str], step: SelfCorrect, detail: str, tmp_path: Path
):
    outcome, _ = await after(replies, asking("zh"), tmp_path, step)
    assert [(d.reason, d.detail) for d in outcome.dropped] == [("constraints_unmet", detail)]


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_prompt_without_constraints_is_kept_as_it_is_without_a_call(text: str, tmp_path: Path):
    outcome, calls = await after(["x"], ask(text), tmp_path)
    assert (outcome.out, calls) == ((ask(text),), [])


async def test_constraints_that_are_not_ours_end_the_record(tmp_path: Path):
    outcome, calls = await after(["x"], replace(ask("写雨"), constraints=("[]",)), tmp_path)
    assert ([d.reason for d in outcome.dropped], calls) == (["unreadable_constraints"], [])


async def test_a_correction_that_is_cut_off_leaves_what_there_is(tmp_path: Path):
    script = in_order(None, faults.cut_at_limit)
    async with FaultsServer(lambda _: LONG["zh"], script) as server, teacher_at(server, tmp_path) as teacher:
        outcome = await SelfCorrect()(asking("zh"), teacher, Random(0))
    assert outcome.out[0].response == LONG["zh"]
    assert len(server.calls) == 2


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_stays_in_its_turn(text: str, tmp_path: Path):
    _, calls = await after([f"{text}, {text}"], asking("en", text), tmp_path, SelfCorrect(rounds=1))
    first, second = calls
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "user"]
    assert first["messages"][1]["content"].startswith(text)
    assert second["messages"][2]["content"] == f"{text}, {text}"
    assert text not in second["messages"][0]["content"] + second["messages"][3]["content"]


async def test_the_loop_accounts_for_rows_edits_and_drops(tmp_path: Path):
    rows = [asking("zh"), asking("en"), ask("今天好吗？", 3)]
    shard = write_records(rows, tmp_path / "in.parquet")
    async with FaultsServer(lambda _: LONG["zh"]) as server, engine_at(server, tmp_path) as engine:
        bench = Bench(tmp_path / "work", 7, engines={"teacher": engine})
        tally = await run(Linked(SelfCorrect(), "self_correct", "answer"), [shard], bench)
    out = [r for s in tally.shards for r in records(s.table())]
    assert (tally.seen, tally.made, tally.out, tally.dropped) == (3, 2, 3, {"used": 2})
    assert sorted(r.kind for r in out) == ["prompts", "rows", "rows"]
