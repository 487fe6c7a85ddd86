"""Draw the target: a prompt is edited to what its answer does, its row takes the other's place, and code checks it."""

import json
from dataclasses import replace
from random import Random
from typing import cast

import pytest

from tasks.answer.draw_target import DrawTarget
from tasks.constraint.length import Words
from tasks.constraint.marks import NoCommas
from tasks.constraint.register import written
from tasks.constraint.wording import wordings
from tasks.record import Record
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tests.rows import HOSTILE, answered, ask

STATED = {"en": "Write at least 200 words about rain.", "zh": "写一篇不少于200字的短文。"}
EDITED = {"en": "Write at least 180 words about rain.", "zh": "写一篇不少于180字的短文。"}
ANSWERS = {"en": "word " * 188 + "end", "zh": "雨" * 189}


async def after(record: Record) -> Outcome:
    outcome = await DrawTarget()(record, cast(Teacher, None), Random(0))
    assert outcome.balanced
    return outcome


def row(language: str, **known: object) -> Record:
    said = answered(ask(STATED[language], 1, before=("Hello", "Hi!")), ANSWERS[language])
    return replace(said, input="more", teacher="m-1", licence="mit", **known)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_length_in_plain_words_is_edited_and_the_new_row_takes_the_place_of_the_old(language: str):
    before = row(language)
    outcome = await after(before)
    (made,) = outcome.out
    assert [d.reason for d in outcome.dropped] == ["used"]
    assert made.instruction == EDITED[language]
    assert (made.response, made.messages[-1].trained) == (ANSWERS[language], True)
    assert [m.content for m in made.ask[:-1]] == ["Hello", "Hi!"]
    assert (made.input, made.teacher, made.licence) == ("more", "m-1", "mit")
    assert (made.derived_from, made.scores) == (before.roots, ())
    assert (made.lineage[-1].step, made.lineage[-1].detail) == ("draw_target", "words")


@pytest.mark.parametrize(
    ("asked", "language", "edited"),
    [
        ("Tell me about rain in 200 words.", "en", "Tell me about rain in 180 words."),
        ("写一篇两百字的短文，讲讲雨。", "zh", "写一篇180字的短文，讲讲雨。"),
    ],
)
async def test_a_bare_figure_is_edited_too(asked: str, language: str, edited: str):
    (made,) = (await after(answered(ask(asked), ANSWERS[language]))).out
    assert (made.instruction, made.response) == (edited, ANSWERS[language])


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_constraints_are_edited_in_the_words_that_ask_for_them(language: str):
    words = wordings(Words(200, 200), language)[0]
    asked = ask(f"Rain. {words} Thanks." if language == "en" else f"写雨。{words}谢谢。")
    constraints = (written(Words(200, 200)), written(NoCommas()))
    before = replace(answered(asked, ANSWERS[language]), constraints=constraints)
    worse = ("x, " * 185, ANSWERS[language][:-10])
    (made,) = (await after(replace(before, rejected_answers=worse))).out
    assert made.constraints == (written(Words(180, 190)), written(NoCommas()))
    assert "180" in made.instruction
    assert "190" in made.instruction
    assert "200" not in made.instruction
    assert made.rejected_answers == worse[:1] if language == "en" else worse


@pytest.mark.parametrize("text", [*HOSTILE, "写一篇短文", "at most 900 words"])
async def test_a_row_that_breaks_nothing_is_kept_as_it_is(text: str):
    kept = answered(ask(text), ANSWERS["zh"])
    assert (await after(kept)).out == (kept,)
    bound = replace(kept, constraints=('{"kind": "no_commas"}',))
    assert (await after(bound)).out == (bound,)


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        (answered(ask("不用逗号。"), "雨，雨"), "constraints_unmet", "no_commas"),
        (answered(ask("No commas."), "a, b"), "constraints_unmet", "no_commas"),
    ],
)
async def test_what_no_honest_edit_can_mend_is_dropped(record: Record, reason: str, detail: str):
    outcome = await after(replace(record, constraints=('{"kind": "no_commas"}',)))
    assert [(d.reason, d.detail) for d in outcome.dropped] == [(reason, detail)]
    assert outcome.out == ()


async def test_constraints_that_are_not_ours_are_dropped_and_say_so():
    outcome = await after(replace(row("zh"), constraints=(json.dumps({"kind": "haiku"}),)))
    assert [d.reason for d in outcome.dropped] == ["unreadable_constraints"]
