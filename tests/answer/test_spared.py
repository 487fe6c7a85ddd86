"""What a plan reckons that a small model will answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.answer.spared import Spared
from tasks.language import detect
from tasks.record import Record
from tasks.schema import records, table
from tests.rows import answered, ask

SAID = {"en": "Sort what customer {} says into one of our drawers", "zh": "把第{}位顾客说的话归到一个抽屉里"}


def prompts(language: str) -> list[Record]:
    return [replace(ask(SAID[language].format(i), i), task_type="classification", language=language) for i in range(10)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_lowest_ids_are_left_to_the_teacher_and_all_others_have_an_answer(language: str) -> None:
    given = prompts(language)
    folded = Spared("classification", 4)(table(given))
    made = {r.prompt_id: r for r in records(folded.table)}
    left = sorted(made)[:4]
    assert [i for i, r in sorted(made.items()) if not r.answered] == left
    assert all(detect(r.response) == language for r in made.values() if r.answered)
    assert folded.noted == {"by_small_model": 6}
    assert made.keys() == {r.prompt_id for r in given}


def test_other_types_rows_and_prompts_with_tools_are_left_as_they_are() -> None:
    others = [
        replace(ask("Why?", 20), task_type="writing"),
        replace(answered(ask("How?", 21), "So."), task_type="classification"),
        replace(ask("What is the weather?", 22), task_type="classification", tools="[]"),
    ]
    folded = Spared("classification", 0)(table(others))
    assert records(folded.table) == others
    assert folded.noted == {"by_small_model": 0}


def test_answers_that_the_teacher_gave_before_stand_for_those_to_come() -> None:
    folded = Spared("classification", 0, ("refund", "delivery"))(table(prompts("en")))
    assert {r.response for r in records(folded.table)} == {"refund", "delivery"}
