"""A log row as a record: the mapping, and rows that are not what was promised."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.pull.rows import NOT_TEXT, UNDATED, Unreadable, moment, record_of
from tasks.recipe import Mapping
from tasks.record import Message, Record, ToolCall
from tasks.schema import records, table
from tests.rows import HOSTILE

WHEN = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def read(row: dict[str, Any], source: str = "logs", **mapping: str) -> Record:
    return record_of(row, Mapping(**mapping), source)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_a_row_of_the_default_shape_gives_all_that_it_has() -> None:
    row = {
        "id": "7",
        "created_at": "2026-02-03T04:05:06Z",
        "messages": [{"role": "system", "content": "你是助手"}, user("你好"), {"role": "assistant", "content": "嗨"}],
        "conversation_id": "s-1",
        "user_id": "u-1",
        "model": "student-1",
        "feedback": "up",
        "tools": [{"name": "天气"}],
    }
    record = read(row)
    assert record.messages == (Message("system", "你是助手"), Message("user", "你好"))
    assert (record.student_response, record.student, record.vote, record.asked_at) == ("嗨", "student-1", "up", WHEN)
    assert record.tools == '[{"type": "function", "function": {"name": "天气"}}]'
    assert record.user.startswith("u-")
    assert "u-1" not in record.user + record.conversation


def test_fields_are_found_at_dotted_paths() -> None:
    row = {"meta": {"key": 9, "at": 1770091506}, "chat": [{"turns": [{"from": "human", "value": "问"}]}], "who": None}
    record = read(row, id="meta.key", time="meta.at", messages="chat.-1.turns", user="who.name", vote="chat.5.x")
    assert (record.instruction, record.asked_at, record.user, record.vote) == ("问", WHEN, "", "")


def test_a_prompt_may_be_a_text_and_its_answer_a_field_of_its_own() -> None:
    record = read({"q": "问？", "a": "答。"}, messages="q", response="a")
    assert (record.instruction, record.student_response, record.asked_at) == ("问？", "答。", UNDATED)


def test_a_response_field_comes_before_the_last_turn() -> None:
    row = {"messages": [user("q"), {"role": "assistant", "content": "turn"}], "response": "field"}
    assert (read(row).student_response, len(read(row).messages)) == ("field", 1)


@pytest.mark.parametrize(
    ("content", "text", "tags"),
    [
        ("问", "问", ()),
        ([{"type": "text", "text": "一"}, {"type": "text", "text": "two"}], "一\ntwo", ()),
        (["plain", {"text": "part"}], "plain\npart", ()),
        ([{"type": "text", "text": "看图"}, {"type": "image_url", "image_url": {"url": "x"}}], "看图", (NOT_TEXT,)),
        ([{"type": "image_url", "image_url": {"url": "x"}}], "", (NOT_TEXT,)),
        ([{"type": "text", "text": None}], "", (NOT_TEXT,)),
    ],
)
def test_content_parts_are_joined_and_other_media_are_marked(content: Any, text: str, tags: tuple[str, ...]) -> None:
    record = read({"messages": [user(content)]})
    assert (record.instruction, record.tags) == (text, tags)


def test_tool_calls_keep_their_arguments_as_they_went_over_the_wire() -> None:
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":  1}'}},
        {"id": None, "function": {"name": "g", "arguments": {"城": "北京"}}},
    ]
    turns = [user("q"), {"role": "assistant", "content": None, "tool_calls": calls}]
    turns += [{"role": "function", "content": "3", "tool_call_id": "c1", "name": "f"}]
    record = read({"messages": turns})
    assert record.messages[1].tool_calls == (ToolCall("c1", "f", '{"a":  1}'), ToolCall("", "g", '{"城": "北京"}'))
    assert record.messages[2] == Message("tool", "3", tool_call_id="c1", name="f")


@pytest.mark.parametrize(
    ("given", "vote"),
    [
        *(("up", "up"), ("Thumbs_Up", "up"), (1, "up"), (1.0, "up"), (True, "up")),
        *(("down", "down"), (-1, "down"), (-1.0, "down"), ("-1", "down"), (False, "down")),
        *((None, ""), (0, ""), ("", ""), ({"rating": 1}, ""), ("meh", "")),
    ],
)
def test_votes_are_up_down_or_none(given: Any, vote: str) -> None:
    assert read({"messages": "q", "feedback": given}).vote == vote


@pytest.mark.parametrize(
    "given",
    [
        "2026-02-03T04:05:06Z",
        "2026-02-03 04:05:06",
        " 2026-02-03T04:05:06+00:00\n",
        "2026-02-03T12:05:06+08:00",
        "20260203T040506",
        1770091506,
        1770091506.0,
        1770091506000,
        "1770091506",
        "1770091506000",
        "1770091506.0",
    ],
)
def test_a_time_is_read_in_many_forms(given: Any) -> None:
    assert moment(given) == WHEN
    assert moment(given).utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize("given", [None, ""])
def test_no_time_is_the_beginning_of_time(given: Any) -> None:
    assert moment(given) == UNDATED


@pytest.mark.parametrize(
    "given", ["yesterday", "昨天", "2026-13-01", float("nan"), float("inf"), 1e30, [2026], {"$date": 1}, "-", "٣" * 30]
)
def test_what_is_no_time_is_refused(given: Any) -> None:
    with pytest.raises(Unreadable, match="bad_time"):
        moment(given)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({}, "no_messages"),
        ({"messages": []}, "no_messages"),
        ({"messages": {"role": "user"}}, "no_messages"),
        ({"messages": ["hi"]}, "bad_message"),
        ({"messages": [{"role": "wizard", "content": "hi"}]}, "bad_role"),
        ({"messages": [{"content": "hi"}]}, "bad_role"),
        ({"messages": [user("")]}, "empty_message"),
        ({"messages": ""}, "empty_message"),
        ({"messages": [user(5)]}, "bad_content"),
        ({"messages": [user({"text": "hi"})]}, "bad_content"),
        ({"messages": [{"role": "assistant", "content": "hi"}]}, "nothing_asked"),
        ({"messages": [{"role": "system", "content": "hi"}]}, "nothing_asked"),
        ({"messages": [user("q") | {"tool_calls": 5}]}, "bad_tool_call"),
        ({"messages": [user("q") | {"tool_calls": {"a": 1}}]}, "bad_tool_call"),
        ({"messages": [user("q") | {"tool_calls": [{"function": "f"}]}]}, "bad_tool_call"),
        ({"messages": [user("q") | {"tool_calls": [None]}]}, "bad_tool_call"),
        ({"messages": "q", "created_at": "soon"}, "bad_time"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as fault:
        read(row)
    assert str(fault.value) == reason


@pytest.mark.parametrize("text", [*HOSTILE, "\x00", "\ud800"])
def test_hostile_text_anywhere_in_a_row_can_be_written_and_read_back(text: str) -> None:
    call = {"id": text, "function": {"name": text, "arguments": {text: text}}}
    turns = [user(text), {"role": "assistant", "content": text, "tool_calls": [call], "name": text}, user(text)]
    row = {"id": text, "messages": turns, "response": text, "user_id": text, "model": text, "feedback": text}
    for tools in (text, [{"description": text}]):
        record = read(row | {"tools": tools})
        assert records(table([record])) == [record]
        assert record.instruction == text.replace("\ud800", "\ufffd")


WRAPPED = {"type": "function", "function": {"name": "lamp", "parameters": {}}}


@pytest.mark.parametrize("tools", [[WRAPPED], json.dumps([WRAPPED]), [WRAPPED["function"]], [1, WRAPPED]])
def test_tools_are_kept_in_the_shape_of_the_api(tools: Any) -> None:
    assert json.loads(read({"messages": "turn on the lamp", "tools": tools}).tools) == [WRAPPED]


@pytest.mark.parametrize("tools", ["", "not json", "{}", "[1]", "[NaN]", "[" * 100_000, {"name": "lamp"}, 7, None])
def test_tools_that_are_no_list_of_tools_are_none(tools: Any) -> None:
    assert read({"messages": "turn on the lamp", "tools": tools}).tools == ""


def test_a_log_id_names_source_row_and_time() -> None:
    row = {"id": 7, "messages": "q", "created_at": 1770091506}
    assert read(row).roots == read(row | {"messages": "edited", "feedback": "up"}).roots
    others = [read(row, "other"), read(row | {"id": 8}), read(row | {"created_at": 1770091507})]
    assert len({r.roots for r in [read(row), *others]}) == 4


def test_a_row_without_an_id_is_named_by_its_content() -> None:
    row = {"messages": "q", "n": 1}
    assert read(row).roots == read({"n": 1, "messages": "q"}).roots != read(row | {"n": 2}).roots
    assert read(row | {"id": ""}).roots != read(row | {"id": 0}).roots


def test_users_and_sessions_of_two_sources_are_not_the_same_ones() -> None:
    row = {"messages": "q", "user_id": "u", "conversation_id": "u"}
    assert len({read(row).user, read(row, "other").user, read(row).conversation}) == 3
