"""What a trainer reads of a row: who carries loss, where tools stand, and which rows a shape cannot carry."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tasks.publish.shapes import MIXED, SHAPES, TOOLS, TURNS, alpaca, openai, sharegpt, swift
from tasks.publish.version import published
from tasks.record import Message, Record, ToolCall
from tasks.schema import table
from tests.rows import HOSTILE, answered, ask

LAMP = {"type": "function", "function": {"name": "lamp", "parameters": {"type": "object"}}}
CALL = ToolCall("c1", "lamp", '{"room": "客厅"}')
MULTI = answered(ask("那第二句呢？", 1, system="你是诗人。", before=("写一首诗", "山高月小。")), "水落石出。")


def row(record: Record) -> dict[str, Any]:
    """The record as it stands in the Parquet file."""
    return published(table([replace(record, split="train")]))["train"].to_pylist()[0]


def one(made: list[dict[str, Any]] | str) -> dict[str, Any]:
    (only,) = made
    assert isinstance(only, dict)
    return only


def using_tools(said: str = "", *more: ToolCall) -> Record:
    """A logged call and its results, and the answer after them."""
    calls = (CALL, *more)
    results = [Message("tool", f"on {c.id}", tool_call_id=c.id, name=c.name) for c in calls]
    turns = (Message("user", "开灯"), Message("assistant", said, tool_calls=calls), *results)
    return answered(replace(ask("x"), messages=turns, tools=json.dumps([LAMP["function"]])), "开了。")


def test_only_the_turn_of_the_teacher_has_weight():
    turns = one(openai(row(MULTI)))["messages"]
    assert [(t["role"], t.get("weight")) for t in turns] == [
        ("system", None),
        ("user", None),
        ("assistant", 0),
        ("user", None),
        ("assistant", 1),
    ]
    turns = one(swift(row(MULTI)))["messages"]
    assert [t.get("loss") for t in turns] == [None, None, False, None, True]


def test_a_row_with_two_trained_turns_is_an_example_for_each_where_the_shape_has_no_word_for_loss():
    both = replace(MULTI, messages=tuple(replace(m, trained=m.role == "assistant") for m in MULTI.messages))
    first, second = sharegpt(row(both))
    assert first["conversations"] == second["conversations"][:3]
    assert [t["from"] for t in second["conversations"]] == ["system", "human", "gpt", "human", "gpt"]
    assert [e["output"] for e in alpaca(row(both))] == ["山高月小。", "水落石出。"]
    assert [len(e["history"]) for e in alpaca(row(both))] == [0, 1]
    assert [t.get("weight") for t in one(openai(row(both)))["messages"]] == [None, None, 1, None, 1]


def test_alpaca_has_the_last_turn_as_instruction_and_the_others_as_history():
    assert one(alpaca(row(MULTI))) == {
        "instruction": "那第二句呢？",
        "input": "",
        "output": "水落石出。",
        "history": [["写一首诗", "山高月小。"]],
        "system": "你是诗人。",
    }


def test_an_input_keeps_its_field_in_alpaca_and_stands_below_the_question_elsewhere():
    given = row(answered(ask("Translate this.", input="床前明月光"), "Moonlight."))
    assert (one(alpaca(given))["instruction"], one(alpaca(given))["input"]) == ("Translate this.", "床前明月光")
    assert one(openai(given))["messages"][0]["content"] == "Translate this.\n\n床前明月光"
    assert one(swift(given))["messages"][0]["content"] == "Translate this.\n\n床前明月光"
    assert one(sharegpt(given))["conversations"][0]["value"] == "Translate this.\n\n床前明月光"


def test_tool_calls_keep_their_names_arguments_and_results():
    given = row(using_tools())
    made = one(openai(given))
    assert made["tools"] == [LAMP]
    call = {"id": "c1", "type": "function", "function": {"name": "lamp", "arguments": '{"room": "客厅"}'}}
    assert made["messages"][1] == {"role": "assistant", "content": "", "tool_calls": [call], "weight": 0}
    assert made["messages"][2] == {"role": "tool", "content": "on c1", "tool_call_id": "c1"}  # the SDK knows no name
    for shape, key, name, said in (
        (sharegpt, "conversations", "from", "value"),
        (swift, "messages", "role", "content"),
    ):
        plain = one(shape(given))
        assert json.loads(plain["tools"]) == [LAMP]
        assert json.loads(plain[key][1][said]) == {"name": "lamp", "arguments": {"room": "客厅"}}
        assert plain[key][2][said] == "on c1"
        expected = ["human", "function_call", "observation", "gpt"]
        expected = expected if shape is sharegpt else ["user", "tool_call", "tool_response", "assistant"]
        assert [t[name] for t in plain[key]] == expected
    assert [m.get("loss") for m in one(swift(given))["messages"]] == [None, False, None, True]


def test_parallel_calls_are_one_turn_in_sharegpt_and_a_turn_each_in_swift():
    given = row(using_tools("", ToolCall("c2", "lamp", "not json")))
    turns = one(sharegpt(given))["conversations"]
    assert [c["arguments"] for c in json.loads(turns[1]["value"])] == [{"room": "客厅"}, "not json"]
    assert turns[2] == {"from": "observation", "value": "on c1\non c2"}
    assert [m["role"] for m in one(swift(given))["messages"]][1:5] == ["tool_call"] * 2 + ["tool_response"] * 2


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (using_tools(), {"alpaca": TOOLS}),
        (using_tools("我来开。"), {"alpaca": TOOLS, "sharegpt": MIXED}),
        (answered(ask("还在吗？", before=("你好", "你好！", "等一下")), "在。"), {"alpaca": TURNS, "sharegpt": TURNS}),
        (
            answered(replace(ask("x"), messages=(Message("user", "a"), Message("user", "b"))), "c"),
            {"alpaca": TURNS, "sharegpt": TURNS},
        ),
    ],
)
def test_a_shape_says_why_it_cannot_carry_a_row(record: Record, why: dict[str, str]):
    made = {name: shape(row(record)) for name, shape in SHAPES.items()}
    assert {name: m for name, m in made.items() if isinstance(m, str)} == why


def test_reasoning_that_is_kept_goes_before_the_answer_it_belongs_to_and_never_to_openai():
    thought = row(replace(ask("2+2?"), task_type="mathematics").answering("4", "Two and two."))
    assert one(swift(thought))["messages"][-1]["content"] == "<think>\nTwo and two.\n</think>\n\n4"
    assert one(sharegpt(thought))["conversations"][-1]["value"] == one(alpaca(thought))["output"]
    assert "Two and two" not in json.dumps(openai(thought))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_a_text(text: str):
    for shape in SHAPES.values():
        assert json.dumps(text, ensure_ascii=False)[1:-1] in json.dumps(
            one(shape(row(replace(answered(ask(text), text), rejected_answers=(text,))))), ensure_ascii=False
        )


@pytest.mark.parametrize("tools", ["nonsense", '{"a": 1}', "[NaN]", '[{"default": 1e999}]', "null"])
def test_tools_that_are_no_list_of_tools_are_none(tools: str):
    given = row(answered(ask("Hi there", tools=tools), "Yes"))
    assert "tools" not in one(openai(given))
    assert one(swift(given))["tools"] == one(sharegpt(given))["tools"] == "[]"
    assert one(alpaca(given))["output"] == "Yes"
