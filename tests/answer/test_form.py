"""The form of answers: what it takes, and what it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tasks.answer.form import Form, same
from tasks.constraint.length import Words
from tasks.constraint.register import written
from tasks.recipe import RecipeError
from tasks.recipe.small_model import Form as Told
from tests.rows import answered, ask

ASKS = ("Which intent is this? Where is my parcel?", "这句话的意图是什么？我的包裹到哪了？")
KEYS: dict[str, Any] = {"json_keys": {"label": ["refund", "发货"], "why": []}}


def kept(text: str, asked: str = ASKS[0], **told: Any) -> bool:
    return Form.of(Told(**told)).kept(answered(ask(asked), text))


@pytest.mark.parametrize("asked", ASKS)
@pytest.mark.parametrize(
    ("text", "told", "fits"),
    [
        ('{"label": "refund", "why": 1}', KEYS, True),
        ('{"label": "发货", "why": ""}', KEYS, True),
        ('{"label": "other", "why": ""}', KEYS, False),
        ('{"label": ["refund"], "why": ""}', KEYS, False),
        ('{"label": "refund"}', KEYS, False),
        ('{"label": "refund", "why": "", "more": 0}', KEYS, False),
        ('Sure! {"label": "refund", "why": ""}', KEYS, False),
        ("[" * 100_000, KEYS, False),
        ("null", KEYS, False),
        ("退款", {"labels": ["退款", "refund"]}, True),
        (" refund\n", {"labels": ["退款", "refund"]}, True),
        ("refund.", {"labels": ["退款", "refund"]}, False),
        ("[12] 退款", {"regex": r"\[\d+\] \w+"}, True),
        ("[12] 退款。", {"regex": r"\[\d+\] \w+"}, False),
        ("one two", {"constraints": [{"kind": "words", "most": 2}]}, True),
        ("one two three", {"constraints": [{"kind": "words", "most": 2}]}, False),
        ("anything at all", {}, True),
        ("", {}, False),
    ],
)
def test_an_answer_has_the_form_or_not(asked: str, text: str, told: dict[str, Any], fits: bool) -> None:
    assert kept(text, asked, **told) is fits


def test_the_constraints_of_the_record_are_part_of_the_form() -> None:
    two = written(Words(most=2))
    assert Form().kept(answered(ask(ASKS[0], constraints=(two,)), "one two"))
    assert not Form().kept(answered(ask(ASKS[0], constraints=(two,)), "one two three"))
    assert not Form().kept(answered(ask(ASKS[0], constraints=("what?",)), "one"))


def test_what_is_no_form_is_said_where_it_stands() -> None:
    with pytest.raises(RecipeError) as fault:
        Form.of(Told(constraints=[{"kind": "words", "most": 9}, {"kind": "wordz"}]))
    assert fault.value.where == "answer.small_model.form.constraints.1"
    with pytest.raises(ValueError, match="no regular expression"):
        Told(regex="(")


def test_two_answers_are_the_same_as_json_or_word_for_word() -> None:
    assert same('{"label":"退款", "n": 1}', json.dumps({"n": 1, "label": "退款"}))
    assert same(" refund", "refund\n")
    assert not same('{"label": "refund"}', '{"label": "other"}')
    assert not same("refund", '{"label": "refund"}')


def test_only_a_closed_form_can_be_agreed_on() -> None:
    assert Form.of(Told(labels=["a"])).closed
    assert Form.of(Told(json_keys={"label": ["a"]})).closed
    assert not Form.of(Told(**KEYS)).closed
    assert not Form().closed
