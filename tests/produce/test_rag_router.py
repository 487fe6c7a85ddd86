import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tasks.produce.rag_router import RagRouter
from tasks.prompt import load
from tasks.recipe import RecipeError
from tests.produce.played import Body, asked_schema, last, made


def teacher(agrees: bool = True, many: int = 2) -> Any:
    """One that writes messages that say what they are, and sorts them."""
    calls = Counter[str]()

    def say(body: Body) -> str:
        if asked_schema(body) == "messages":
            calls["messages"] += 1
            kind = "KNOW" if "ask for knowledge" in last(body) or "要知识的" in last(body) else "CHAT"
            return json.dumps({"messages": [f"{kind} {calls['messages']}.{n} {{{{task}}}}" for n in range(many)]})
        lines = [line for line in last(body).splitlines() if "KNOW" in line or "CHAT" in line]
        return json.dumps({"knowledge": [("KNOW" in line) == agrees for line in lines]})

    return say


@pytest.fixture
def topics(tmp_path: Path) -> str:
    for language, topic in (("en", "tides"), ("zh", "潮汐")):
        (tmp_path / f"topics.{language}.txt").write_text(f"# topics\n\n{topic}\n", "utf-8")
    return str(tmp_path / "topics.{language}.txt")


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_messages_are_rows_with_the_name_that_their_class_has_in_the_task(
    language: str, topics: str, tmp_path: Path
) -> None:
    step = RagRouter(target=40, languages=(language,), messages=2, topics=topics)
    run = await made(step, [], teacher(), tmp_path)
    wordings = [
        [part.strip() for part in line.split("|")]
        for line in load("rag_router/task", language).words["wordings"].strip().splitlines()
    ]
    for row in run.rows:
        task, message = row.instruction.split("\n\n")
        (names,) = ([know, chat] for said, know, chat in wordings if said == task)
        assert row.response == names["CHAT" in message]
        assert row.tags == ("rag", "router:chat" if "CHAT" in message else "router:knowledge")
        assert (row.task_type, row.subtype, row.domain) == ("classification", "intent", "general")
        assert row.teacher == "m-1"
    assert len(run.rows) == 40
    assert len({row.response for row in run.rows}) >= 8
    kinds = Counter(row.tags[1] for row in run.rows)
    assert min(kinds.values()) >= 8


async def test_a_message_that_a_second_look_takes_for_the_other_kind_is_contested(topics: str, tmp_path: Path) -> None:
    run = await made(RagRouter(messages=2, topics=topics, at_once=2, patience=2), [], teacher(agrees=False), tmp_path)
    assert run.reasons == {"contested": 8}
    assert "short" in run.tally.stopped


@pytest.mark.parametrize("reply", ["none", '{"messages": []}', '{"messages": ["a", "b"], "knowledge": [true]}'])
async def test_replies_that_cannot_be_read_are_noted(reply: str, topics: str, tmp_path: Path) -> None:
    run = await made(RagRouter(messages=2, topics=topics, at_once=2, patience=1), [], lambda body: reply, tmp_path)
    assert (run.tally.noted, run.tally.made) == ({"unreadable_reply": 2}, 0)


async def test_a_list_of_topics_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "topics.en.txt").write_text("# nothing\n")
    for path in ("topics.en.txt", "no.txt"):
        step = RagRouter(languages=("en",), topics=str(tmp_path / path))
        with pytest.raises(RecipeError, match="is not a list"):
            next(step.calls_of(Random(1)))
