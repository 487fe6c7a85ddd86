import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tasks.answer.distill import Distill
from tasks.judge.verdict import Judged
from tasks.label.task_type import TaskType
from tasks.recipe import located
from tasks.record import Record, ToolCall
from tasks.step import Each, dice
from tasks.taxonomy import Taxonomy
from tasks.teacher.ask import Teacher
from tasks.teacher.endings import NoAnswer
from tasks.teacher.recorded import Recording, find, recorded_teacher
from tests.engines import ask, engine_at, teacher_at
from tests.rows import ask as asking

RECORDINGS = located("data/samples/recorded.jsonl")
LABEL = TaskType(Taxonomy.read("data/taxonomy.yaml"))
DISTIL = Distill(few_shot=1, pool="data/few_shot.jsonl")
LINE = {
    "turns": ["Why does ice float?"],
    "label": {"task_type": "question_answering/explanation", "domain": "science"},
    "reasoning": "",
    "answer": "It takes up more room.",
    "verdict": {"reason": "right", "harmless": True, "score": 5},
}


@cache
def recordings() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORDINGS.read_text().splitlines()]


def logged(plain: dict[str, Any], between: str = "（学生的回答）") -> Record:
    """The record that a log of this conversation makes."""
    *earlier, last = plain["turns"]
    before = [said for turn in earlier for said in (turn, between)]
    return asking(last, before=before)


def recording(*turns: str) -> Recording:
    return Recording.of(LINE | {"turns": list(turns)})


async def labelled(plain: dict[str, Any], teacher: Teacher) -> Record:
    """The record of a recording, and what the three steps made of it."""
    record = logged(plain)
    steps: tuple[Each, ...] = (LABEL, DISTIL, Judged())
    for step in steps:
        outcome = await step(record, teacher, dice(7, "recorded", record.prompt_id))
        if outcome.dropped:
            assert outcome.dropped[0].reason == "harmful"
            assert not plain["verdict"]["harmless"]
            return record
        (record,) = outcome.out
    return record


async def test_each_recording_is_found_by_its_own_text_for_each_kind_of_ask(tmp_path: Path) -> None:
    async with recorded_teacher(RECORDINGS) as server, teacher_at(server, tmp_path, max_in_flight=16) as teacher:
        wrong = []
        for plain in recordings():  # one after the other: the first that is wrong is the one to look at
            record = await labelled(plain, teacher)
            verdict = plain["verdict"]
            said = (f"{record.task_type}/{record.subtype}", record.domain, record.response, record.score("judge"))
            score = verdict["score"] if verdict["harmless"] else None
            if said != (*plain["label"].values(), plain["answer"].strip(), score):
                wrong.append((plain["id"], said))
    assert not wrong
    assert teacher.count.calls == 3 * len(recordings())


def test_both_languages_and_both_ways_to_answer_are_recorded() -> None:
    kinds = {(r["id"][:2], bool(r["reasoning"])) for r in recordings()}
    assert kinds == {("en", False), ("en", True), ("zh", False), ("zh", True)}


@pytest.mark.parametrize("name", ["labelled", "reasoned", "verdict", ""])
async def test_what_is_not_held_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(json.dumps(LINE) + "\n")
    async with (
        recorded_teacher(tmp_path / "one.jsonl") as server,
        engine_at(server, tmp_path, attempts=1) as engine,
    ):
        for text in ("为什么冰会浮起来？", "Why does ice", ""):
            with pytest.raises(NoAnswer) as none:
                await ask(engine, text)
            assert none.value.reason == "not_recorded"
        body: dict[str, Any] = {"messages": [{"role": "user", "content": "why does   ICE float?"}], "max_tokens": 9}
        if name:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": name, "schema": {}}}
        if name == "reasoned":  # it was answered without reasoning
            with pytest.raises(NoAnswer, match="not_recorded"):
                await engine.call(body, 0, engine.purse.spent)
        else:
            reply = await engine.call(body, 0, engine.purse.spent)
            kept = {"labelled": LINE["label"], "verdict": LINE["verdict"]}
            assert reply.text == LINE["answer"] if not name else json.loads(reply.text) == kept[name]


def test_a_longer_conversation_is_not_mistaken_for_its_beginning() -> None:
    short, long, other = recording("面包"), recording("面包", "那米饭呢？"), recording("牛奶", "那米饭呢？")
    every = [short, long, other]
    assert find(["系统", "面包"], every) is short
    assert find(["系统", "面包", "（回答）", "那米饭呢？"], every) is long
    assert find(["系统", "<user>面包</user><user>那米饭呢？</user>"], every) is long
    assert find(["系统", "牛奶", "（回答）", "那米饭呢？"], every) is other
    assert find(["系统", "那米饭呢？"], every) is None


def test_width_case_and_white_space_do_not_hide_a_recording() -> None:
    known = recording("Why does ICE float?")
    assert find(["  why does\n ice ｆｌｏａｔ？ "], [known]) is known
    assert find(["anything"], []) is None


async def test_a_recording_may_answer_with_tool_calls_and_its_label_stays_text(tmp_path: Path) -> None:
    call = {"id": "call_1", "name": "float", "arguments": '{"what": "冰"}'}
    (tmp_path / "calls.jsonl").write_text(json.dumps(LINE | {"answer": "", "tool_calls": [call]}))
    record = asking("Why does ice float?")
    async with recorded_teacher(tmp_path / "calls.jsonl") as server, teacher_at(server, tmp_path) as teacher:
        for step in (LABEL, Distill(), Judged()):
            (record,) = (await step(record, teacher, dice(7, "recorded", record.prompt_id))).out
    said = record.messages[-1]
    assert (said.content, said.tool_calls, said.trained) == ("", (ToolCall(**call),), True)
    assert (record.subtype, record.score("judge")) == ("explanation", 5)
