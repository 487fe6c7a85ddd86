import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.produce.self_qa import SelfQA
from tasks.prompt import load
from tasks.teacher.protocol import asked_schema, texts
from tests import faults
from tests.engines import teacher_at
from tests.faults import Body, FaultsServer
from tests.produce.made import EN, ZH, passage, reasons, through
from tests.rows import HOSTILE

PASSAGES = {"en": EN, "zh": ZH}
BOTH = pytest.mark.parametrize("language", PASSAGES)
ASKED: dict[str, dict[str, str]] = {  # question -> answer
    "en": {
        "What do adults pay at the Harbour pool?": "Adults pay 7.50 euros.",
        "What does the passage say about Mondays?": "never asked",
        "Who runs the Harbour pool's café?": "NOT_STATED",
        "How much is the locker deposit at the Harbour pool?": "It is 25 euros.",
        "When does the Harbour pool close?": "According to the text it closes at 21:00.",
    },
    "zh": {
        "海港游泳馆的成人票多少钱？": "成人票每张45元。",
        "文中说周一有什么安排？": "不会问到",
        "海港游泳馆的餐厅由谁经营？": "材料未提及",
        "海港游泳馆的柜子钥匙押金是多少？": "押金为250元。",
        "海港游泳馆几点闭馆？": "21:00闭馆，材料中有写。",
    },
}
ENDS = {0: "kept", 1: "not_self_contained", 2: "unanswered", 3: "ungrounded", 4: "not_self_contained"}


def teacher(language: str, listed: list[str] | None = None) -> Any:
    known = ASKED[language]

    def say(body: Body) -> str:
        if asked_schema(body):
            return json.dumps({"questions": [*known] if listed is None else listed}, ensure_ascii=False)
        return next(answer for question, answer in known.items() if question in texts(body)[-1])

    return say


@pytest.mark.parametrize(
    ("language", "said", "published"),
    [
        ("en", "According to the passage, adults pay 7.50 euros.", "Adults pay 7.50 euros."),
        ("zh", "根据资料，成人票每张45元。", "成人票每张45元。"),
        ("zh", "根據資料，成人票每張45元。", "成人票每張45元。"),
    ],
)
async def test_an_answer_that_only_begins_with_its_source_is_kept_without_it(
    language: str, said: str, published: str, tmp_path: Path
) -> None:
    question = next(iter(ASKED[language]))

    def say(body: Body) -> str:
        return json.dumps({"questions": [question]}, ensure_ascii=False) if asked_schema(body) else said

    async with FaultsServer(say) as server, teacher_at(server, tmp_path) as one:
        _, rows, _ = await through(SelfQA(), [passage(PASSAGES[language])], one, tmp_path)
    assert [row.response for row in rows] == [published]


@BOTH
async def test_questions_of_a_passage_become_rows_where_the_passage_bears_them_out(
    language: str, tmp_path: Path
) -> None:
    given = passage(PASSAGES[language])
    async with FaultsServer(teacher(language)) as server, teacher_at(server, tmp_path, licence="mit") as one:
        tally, rows, gone = await through(SelfQA(questions=7), [given], one, tmp_path)
    questions = [*ASKED[language]]
    (row,) = rows
    assert (row.instruction, row.response) == (questions[0], ASKED[language][questions[0]])
    assert (row.teacher, row.licence, row.language, row.passage) == (
        "m-1",
        "cc-by-4.0 AND mit",
        language,
        PASSAGES[language],
    )
    assert [s.step for s in row.lineage] == ["documents", "self_qa/questions", "self_qa/answer"]
    assert row.lineage[-1].prompt == load("self_qa/answer", language).sha256
    assert row.lineage[1].parents == (given.prompt_id,)
    expected: dict[str, list[str]] = {"used": [PASSAGES[language][:12]]}
    for number, end in ENDS.items():
        if end != "kept":
            expected.setdefault(end, []).append(questions[number])
    assert reasons(gone) == {k: sorted(v, key=questions.index) if k != "used" else v for k, v in expected.items()}
    assert (tally.seen, tally.made, tally.out) == (1, 5, 1)
    assert len(server.calls) == 1 + 4, "what is not self-contained is never answered"


@BOTH
async def test_what_is_sent_holds_the_passage_in_marks_and_what_is_published_holds_none_of_it(
    language: str, tmp_path: Path
) -> None:
    text = PASSAGES[language] + "".join(HOSTILE)
    async with FaultsServer(teacher(language)) as server, teacher_at(server, tmp_path) as one:
        _, rows, _ = await through(SelfQA(), [replace(passage(text), language=language)], one, tmp_path)
    for call in server.calls:
        system, user = call.body["messages"]
        assert text in user["content"]
        assert user["content"].startswith("<passage ")
        assert text not in system["content"]
        assert ("passage" in system["content"]) == (language == "en")
    assert "7" not in server.calls[0].body["messages"][0]["content"]
    assert "10" in server.calls[0].body["messages"][0]["content"]
    published = json.dumps([[m.content for m in r.messages] for r in rows], ensure_ascii=False)
    assert HOSTILE[0] not in published


@BOTH
async def test_questions_that_say_nothing_or_the_same_are_counted_and_asked_once(language: str, tmp_path: Path) -> None:
    first = next(iter(ASKED[language]))
    listed = [first, " ", f" {first.upper()}  ", first]
    async with FaultsServer(teacher(language, listed)) as server, teacher_at(server, tmp_path) as one:
        tally, rows, _ = await through(SelfQA(), [passage(PASSAGES[language])], one, tmp_path)
    assert len(rows) == 1
    assert tally.noted == {"repeated_question": 3}
    assert len(server.calls) == 2


@pytest.mark.parametrize("reply", ["no json", '{"questions": "one"}', "[]"])
async def test_a_list_that_cannot_be_read_drops_the_passage(reply: str, tmp_path: Path) -> None:
    async with FaultsServer(lambda _: reply) as server, teacher_at(server, tmp_path) as one:
        tally, rows, gone = await through(SelfQA(), [passage(EN), passage(ZH)], one, tmp_path)
    assert rows == []
    assert tally.dropped == {"unparsed": 2}
    assert gone[0]["detail"] == f"questions: {reply}"
    assert len(server.calls) == 4


async def test_an_answer_that_is_none_costs_its_question_alone(tmp_path: Path) -> None:
    script = faults.asked({[*ASKED["en"]][2]: [faults.refusal] * 9, [*ASKED["en"]][3]: [faults.cut_at_limit] * 9})
    async with FaultsServer(teacher("en"), script) as server, teacher_at(server, tmp_path) as one:
        tally, rows, _ = await through(SelfQA(), [passage(EN)], one, tmp_path)
    assert len(rows) == 1
    assert tally.dropped == {"filtered": 1, "not_self_contained": 2, "truncated": 1, "used": 1}


async def test_the_check_of_names_and_numbers_can_be_left_out(tmp_path: Path) -> None:
    async with FaultsServer(teacher("zh")) as server, teacher_at(server, tmp_path) as one:
        tally, rows, _ = await through(SelfQA(grounded=False), [passage(ZH)], one, tmp_path)
    assert len(rows) == 2
    assert "ungrounded" not in tally.dropped


@BOTH
def test_the_word_for_no_answer_stands_in_the_prompt(language: str) -> None:
    prompt = load("self_qa/answer", language)
    assert prompt.words["unknown"] in prompt.turns[0].content
