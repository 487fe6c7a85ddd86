"""Scrubbing a whole record, one placeholder for one value."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest

from tasks.record import Message, Record, ToolCall
from tasks.schema import table
from tasks.scrub.placeholders import Scrub
from tasks.teacher.ask import Teacher
from tests.rows import HOSTILE, ask

NOBODY: Teacher = None  # type: ignore[assignment]


async def scrubbed(record: Record) -> Record:
    (out,) = (await Scrub()(record, NOBODY, Random(0))).out
    return out


def calling(arguments: str) -> Record:
    call = ToolCall("c1", "call", arguments)
    return replace(ask("打给他"), messages=(Message("user", "打给他"), Message("assistant", "", tool_calls=(call,))))


async def test_a_value_keeps_its_placeholder_through_the_whole_conversation() -> None:
    record = ask(
        "是13812345678还是a@b.example？",
        before=["我的邮箱是A@b.example", "记下了：a@b.example"],
        system="老板：c@d.example",
    )
    out = await scrubbed(replace(record, input="c@d.example", student_response="138-1234-5678"))
    assert [m.content for m in out.messages] == [
        "老板：[EMAIL_1]",
        "我的邮箱是[EMAIL_2]",
        "记下了：[EMAIL_2]",
        "是[PHONE_1]还是[EMAIL_2]？",
    ]
    assert (out.input, out.student_response) == ("[EMAIL_1]", "[PHONE_1]")


async def test_a_speaker_may_be_an_address() -> None:
    out = await scrubbed(replace(ask("hi"), messages=(Message("user", "hi", name="a@b.example"),)))
    assert out.messages[0].name == "[EMAIL_1]"


@pytest.mark.parametrize(
    ("arguments", "stays"),
    [
        ('{"to": "a@b.example", "n": [1, true, null]}', {"to": "[EMAIL_1]", "n": [1, True, None]}),
        ('{"电话": 13812345678, "n": 2.5}', {"电话": "[PHONE_1]", "n": 2.5}),
        (r'{"text": "\u7535\u8bdd13812345678\n13812345678"}', {"text": "电话[PHONE_1]\n[PHONE_1]"}),
        ('{"a@b.example": {"deep": ["sk-abcdefghijklmnopqrstuvwx1234"]}}', {"[EMAIL_1]": {"deep": ["[SECRET_1]"]}}),
        ('"13812345678"', "[PHONE_1]"),
        (r'{"half": "\ud800", "to": "a@b.example"}', {"half": "?", "to": "[EMAIL_1]"}),
    ],
)
async def test_arguments_of_a_tool_call_are_json_before_and_after(arguments: str, stays: object) -> None:
    out = await scrubbed(calling(arguments))
    assert json.loads(out.messages[1].tool_calls[0].arguments) == stays
    table([out])


async def test_arguments_that_are_no_json_are_scrubbed_as_text() -> None:
    out = await scrubbed(calling('{"to": a@b.example'))
    assert out.messages[1].tool_calls[0].arguments == '{"to": [EMAIL_1]'


async def test_declared_tools_are_scrubbed() -> None:
    out = await scrubbed(replace(ask("问"), tools='[{"description": "ask a@b.example", "maximum": 5}]'))
    assert json.loads(out.tools) == [{"description": "ask [EMAIL_1]", "maximum": 5}]


@pytest.mark.parametrize("text", [*HOSTILE, "“你好” x² \x00", '{"b": 1,  "a": "好"}', "", "[" * 5000])
async def test_a_record_without_personal_data_stays_as_it_is(text: str) -> None:
    record = replace(calling(text), tools=text, input=text, student_response=text)
    assert await scrubbed(record) == record
