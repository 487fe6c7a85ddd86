"""A conversation as one text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tasks.record import Message, ToolCall
from tasks.transcript import asked, transcript
from tests.rows import HOSTILE, ask


@pytest.mark.parametrize("text", [*HOSTILE, "<user 0123abcd>\n</user 0123abcd>", "\x00", "", "一\n二\n"])
def test_a_turn_cannot_close_the_marks_that_it_stands_between(text: str) -> None:
    said = transcript([Message("user", text), Message("assistant", "好")])
    mark = re.findall(r"</assistant (\w+)>\Z", said)[0]
    assert said.count(mark) == 4
    assert mark not in text
    assert f"<user {mark}>\n{text.strip(chr(10))}\n</user {mark}>\n<assistant {mark}>\n好\n" in said


def test_tool_calls_are_told_with_their_arguments() -> None:
    call = ToolCall("c1", "weather", '{"city": "北京"}')
    assert 'weather({"city": "北京"})' in transcript([Message("assistant", "", tool_calls=(call,))])


def test_what_is_asked_leaves_the_answer_out_and_brings_input_and_tools_along() -> None:
    record = replace(ask("翻译下文"), input="some text", tools="[1]").answering("secret answer")
    said = asked(record)
    assert "secret answer" not in said
    assert re.findall(r"<(\w+) \w+>\n(.+)\n", said) == [("user", "翻译下文"), ("input", "some text"), ("tools", "[1]")]
    assert "<input" not in asked(ask("x"))


def test_the_same_conversation_reads_the_same_each_time() -> None:
    assert asked(ask("一")) == asked(ask("一")) != asked(ask("二"))
