"""Which calls of the store belong to a row."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.prompt import load
from tasks.publish.trace import calls, holds, says
from tasks.record import Message, ToolCall, begun
from tasks.teacher.ask import wire
from tasks.teacher.outcomes import Reply
from tasks.teacher.store import Attempt, CallStore, Stored, attempted
from tasks.transcript import asked
from tests.rows import answered, ask

TEXTS = ("Write two lines without commas.", "写两行，不用逗号。")


@pytest.mark.parametrize("text", TEXTS)
def test_a_correction_is_a_call_of_the_row_that_its_draft_was_rejected_for(text: str) -> None:
    row = replace(answered(ask(text), "good"), rejected_answers=("draft, bad",))
    turns = {"system": (), "conversation": row.ask, "draft": (Message("assistant", "draft, bad"),)}
    sent = wire(load("self_correct/correct", row.language).fill(turns, unmet="- none").messages)
    assert holds(sent, row, asked(row))
    assert not holds(sent, replace(row, rejected_answers=()), asked(row))


@pytest.mark.parametrize("text", TEXTS)
def test_a_later_turn_of_the_same_session_is_none(text: str) -> None:
    row = replace(answered(ask(text), "good"), rejected_answers=("draft",))
    later = ask("And a third?", before=[text, "good"])
    turns = {"system": (), "examples": (), "conversation": later.ask}
    sent = wire(load("answer/direct", row.language).fill(turns).messages)
    assert not holds(sent, row, asked(row))
    assert holds(sent, answered(later, "third"), asked(later))


GREW = {
    "en": ["Name three rivers of Asia and their length.", "Plan a quiet weekend in Lisbon for two."],
    "zh": ["请列出亚洲的三条大河及其长度。", "请为两个人安排一个安静的里斯本周末。"],
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_call_whose_reply_brought_a_turn_of_the_row_made_it(language: str) -> None:
    tasks = GREW[language]
    grown = begun("self_instruct/instructions", (Message("user", tasks[0]),), language).answering("So.")
    for text in (json.dumps({"instructions": tasks}), f"1. {tasks[0]}\n2. {tasks[1]}"):
        call = Stored("k", "good", 99, 0.1, "2026-01-01", json.dumps({"messages": []}), Reply(text))
        assert [c["step"] for c in calls([call], grown, {}, {"k": {"": "produce"}})] == ["produce"]
        assert not calls([call], grown, {}, {"k": {"p-of-another": "produce"}})
        assert not calls([call], grown, {}, {})
        assert not calls(
            [call],
            replace(grown, messages=(Message("user", "?"), grown.messages[-1])),
            {},
            {"k": {"": "produce"}},
        )


def test_a_short_turn_is_found_only_where_a_call_says_nothing_else() -> None:
    row = begun("multi_turn", (Message("user", "Go on."),), "en").answering("Yes.")
    said = [json.dumps({"follow_up": "Go on."}), "Yes.", "Yes. And what is more, no.", json.dumps({"a": "Go on. Now."})]
    assert [says(Reply(text), row) for text in said] == [True, True, False, False]


def test_a_tool_call_is_found_by_its_name_and_arguments() -> None:
    row = begun("tool_use/assistant", (Message("user", "What is the weather in Oslo today?"),), "en")
    row = row.answering("", calls=[ToolCall("call_0", "weather", '{"city":"Oslo"}')])
    ours, other = ({"id": "x", "name": "weather", "arguments": f'{{"city":"{city}"}}'} for city in ("Oslo", "Rome"))
    assert says(Reply("", tool_calls=(ours,)), row)
    assert not says(Reply("", tool_calls=(other,)), row)


def test_a_store_says_for_which_records_a_stage_sent_its_calls(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    assert attempted(path, ["alpaca"]) == {}
    asyncio.run(sent(path))
    assert attempted(path, ["alpaca", "judge"]) == {"k1": {"": "alpaca", "p-1": "judge"}}


async def sent(path: Path) -> None:
    async with CallStore(path, "run") as store:
        for stage, record, key in [("alpaca", "", "k1"), ("judge", "p-1", "k1"), ("answer", "p-2", "k2")]:
            store.record(Attempt(stage, record, key, "2026-01-01", "good", 0.1, 1, 1, 0.0))
