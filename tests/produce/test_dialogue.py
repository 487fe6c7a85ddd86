import json
from pathlib import Path
from typing import Any

import pytest

from tasks.produce.dialogue import Dialogue
from tasks.recipe import RecipeError
from tasks.teacher.protocol import asked_schema
from tests import faults
from tests.engines import teacher_at
from tests.faults import Body, FaultsServer, by_schema
from tests.produce.made import EN, ZH, passage, reasons, through

PASSAGES = {"en": EN, "zh": ZH}
BOTH = pytest.mark.parametrize("language", PASSAGES)
PAIRS = {
    "en": [
        ("When does the Harbour pool open?", "It opens at 6:30."),
        ("When does the harbour pool  open?", "At 6:30, as I said."),
        ("What does the table say?", "Much."),
        ("Who takes deposits at the Harbour pool?", "That is done by John Smith."),
        ("What is the price for adults at the Harbour pool?", " "),
    ],
    "zh": [
        ("海港游泳馆几点开馆？", "6:30开馆。"),
        ("海港游泳馆几点开馆？ ", "每天6:30。"),
        ("表中写了什么？", "很多。"),
        ("海港游泳馆的押金交给谁？", "交给赵经理。"),
        ("海港游泳馆成人票多少钱？", " "),
    ],
}
TURNS = {
    "en": [
        ("What is a child's ticket at the Harbour pool?", "Children under 14 pay 3 euros."),
        ("And at 15?", "The adult price, 7.50 euros."),
    ],
    "zh": [("海港游泳馆儿童票多少钱？", "十四岁以下每张20元。"), ("那15岁呢？", "按成人票，每张45元。")],
}


def plain(turns: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"question": q, "answer": a} for q, a in turns]


def teacher(language: str, turns: list[tuple[str, str]] | None = None) -> Any:
    said = {"pairs": plain(PAIRS[language])}, {"turns": plain(TURNS[language] if turns is None else turns)}
    return by_schema({"pairs": json.dumps(said[0]), "conversation": json.dumps(said[1])})


@BOTH
async def test_a_passage_becomes_single_questions_and_a_conversation(language: str, tmp_path: Path) -> None:
    async with FaultsServer(teacher(language)) as server, teacher_at(server, tmp_path, licence="mit") as one:
        tally, rows, gone = await through(Dialogue(pairs=9), [passage(PASSAGES[language])], one, tmp_path)
    single, several = rows
    assert [(m.role, m.content, m.trained) for m in single.messages] == [
        ("user", PAIRS[language][0][0], False),
        ("assistant", PAIRS[language][0][1], True),
    ]
    assert [m.content for m in several.messages] == [text for turn in TURNS[language] for text in turn]
    assert [m.trained for m in several.messages] == [False, True, False, True]
    assert {(r.teacher, r.licence, r.kind, r.passage) for r in rows} == {
        ("m-1", "cc-by-4.0 AND mit", "rows", PASSAGES[language])
    }
    assert [r.lineage[-1].step for r in rows] == ["dialogue/pairs", "dialogue/conversation"]
    questions = [q for q, _ in PAIRS[language]]
    expected = {"not_self_contained": [questions[2]], "ungrounded": [questions[3]], "empty": [questions[4]]}
    assert reasons(gone) == {"used": [PASSAGES[language][:12]], **expected}
    assert tally.noted == {"repeated_question": 1}
    assert len(server.calls) == 2


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        (TURNS["zh"][:1], "too_short"),
        ([], "too_short"),
        ([*TURNS["zh"], TURNS["zh"][0]], "repeated"),
        ([*TURNS["zh"], ("文中还写了什么？", "没有了。")], "not_self_contained"),
        ([*TURNS["zh"], ("月票呢？", "月票300元。")], "ungrounded"),
        ([*TURNS["zh"], ("", "没有了。")], "empty"),
    ],
)
async def test_a_conversation_falls_as_a_whole(turns: list[tuple[str, str]], reason: str, tmp_path: Path) -> None:
    async with FaultsServer(teacher("zh", turns)) as server, teacher_at(server, tmp_path) as one:
        tally, rows, _ = await through(Dialogue(pairs=0), [passage(ZH)], one, tmp_path)
    assert rows == []
    assert tally.dropped == {reason: 1, "used": 1}


async def test_no_more_pairs_and_turns_are_taken_than_were_asked_for(tmp_path: Path) -> None:
    async with FaultsServer(teacher("en", TURNS["en"] * 4)) as server, teacher_at(server, tmp_path) as one:
        _, rows, _ = await through(Dialogue(pairs=1, turns=2), [passage(EN)], one, tmp_path)
    assert [len(r.messages) for r in rows] == [2, 4]
    assert [" 1 " in c.body["messages"][0]["content"] for c in server.calls].count(True) == 1


async def test_replies_that_cannot_be_read_are_counted_and_the_other_one_stands(tmp_path: Path) -> None:
    def say(body: Body) -> str:
        return "no json" if asked_schema(body) == "pairs" else teacher("en")(body)

    async with FaultsServer(say) as server, teacher_at(server, tmp_path) as one:
        tally, rows, _ = await through(Dialogue(), [passage(EN)], one, tmp_path)
    assert len(rows) == 1
    assert tally.noted == {"unreadable_reply": 1}


async def test_a_passage_about_which_the_teacher_says_nothing_is_dropped_with_the_reason(tmp_path: Path) -> None:
    async with (
        FaultsServer(teacher("en"), faults.always(faults.refusal)) as server,
        teacher_at(server, tmp_path) as one,
    ):
        tally, rows, _ = await through(Dialogue(), [passage(EN)], one, tmp_path)
    assert (rows, tally.dropped) == ([], {"filtered": 1})


async def test_one_answer_that_is_none_leaves_the_other(tmp_path: Path) -> None:
    def script(call: faults.Call) -> faults.Fault | None:
        return faults.refusal if asked_schema(call.body) == "pairs" else None

    async with FaultsServer(teacher("en"), script) as server, teacher_at(server, tmp_path) as one:
        tally, rows, _ = await through(Dialogue(), [passage(EN)], one, tmp_path)
    assert len(rows) == 1
    assert tally.noted == {"filtered": 1}


async def test_schemas_are_strict_in_their_parts_too(tmp_path: Path) -> None:
    async with FaultsServer(teacher("en")) as server, teacher_at(server, tmp_path) as one:
        await through(Dialogue(), [passage(EN)], one, tmp_path)
    for call in server.calls:
        schema = call.body["response_format"]["json_schema"]["schema"]
        assert schema["additionalProperties"] is False
        assert schema["$defs"]["Turn"]["additionalProperties"] is False
        assert schema["$defs"]["Turn"]["required"] == ["question", "answer"]


def test_a_conversation_of_one_turn_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(RecipeError, match="1 is no conversation"):
        Dialogue(turns=1)
    assert Dialogue(turns=0).turns == 0
