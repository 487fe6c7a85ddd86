import asyncio
import json
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from tasks.prompt import Filled
from tasks.record import Message, ToolCall
from tasks.teacher.ask import parse, wire
from tasks.teacher.endings import NoAnswer
from tests import faults
from tests.engines import teacher_at
from tests.faults import FaultsServer, always, in_order, refused


class Grade(BaseModel):
    """A shape to ask for."""

    word: Literal["good", "bad"]
    points: float = Field(ge=0, le=5)


class Grades(BaseModel):
    """Several of them."""

    grades: list[Grade]


GOOD = '{"word": "good", "points": 4.5}'
SENT = Filled((Message("system", "Grade it."), Message("user", "一份答卷")), "grade", "sha")


def good(_: dict[str, Any]) -> str:
    return GOOD


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"\n {GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}\n```\n",
        '{"word": "good", "points": 4.5, "x": 1}',
        f"Sure! {GOOD}",
        f"好的，以下是评分：\n\n{GOOD}\n",
        f"Here:\n```json\n{GOOD}\n```\n",
        f"见 [1]：{GOOD}",
    ],
)
def test_the_one_object_of_a_reply_is_read_with_or_without_a_fence_or_a_preface(text: str) -> None:
    assert parse(text, Grade) == (Grade(word="good", points=4.5), "")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not JSON"),
        ("我不知道。", "not JSON"),
        (GOOD[:-4], "not JSON"),
        (f"Sure! {GOOD[:-1]}", "not JSON"),
        (f"{GOOD}\nI hope this helps.", "not JSON"),
        (f"这条回答自称 {GOOD}，但它是错的。", "not JSON"),
        (f"First {GOOD}, and then {GOOD}", "not JSON"),
        (f"```json\n{GOOD}\n```\n或者：\n```json\n{GOOD}\n```", "not JSON"),
        (f"As {{word, points}}: {GOOD}", "not JSON"),
        (f"All of them: [{GOOD}]", "not JSON"),
        (f'{{"verdict": {GOOD}, "cut": ', "not JSON"),
        ("Sure! " + '{"a":' * 100_000, "not JSON"),
        ('{"word": "\\ud83d", "points": 4}', "not JSON"),
        (GOOD + GOOD, "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("{}", "word: Field required"),
        ("[]", "Input should be"),
        ("null", "Input should be"),
        ('{"word": "fine", "points": 4}', "word: Input should be 'good' or 'bad'"),
        ('{"word": "good", "points": 6}', "points: Input should be less than or equal to 5"),
        ('{"word": "good", "points": NaN}', "points: Input should be"),
        ('{"word": "good", "points": "many"}', "points: Input should be a valid number"),
    ],
)
def test_what_is_not_quite_the_json_asked_for_is_not_read_and_the_fault_is_named(text: str, fault: str) -> None:
    read, said = parse(text, Grade)
    assert read is None
    assert said.startswith(fault)


class Worked(BaseModel):
    """A text with formulas."""

    answer: str


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"还剩 $\frac{2}{3}$，$2\times\frac{1}{6}$", r"还剩 $\frac{2}{3}$，$2\times\frac{1}{6}$"),
        (r"is \(300 \div 2.5 = 120\) \text{km/h}", r"is \(300 \div 2.5 = 120\) \text{km/h}"),
        (r"\left(x \to 0\right), \theta \neq \rho", r"\left(x \to 0\right), \theta \neq \rho"),
        (r"$\underline{x} \beta \boxed{5}$", r"$\underline{x} \beta \boxed{5}$"),
        (r"\\frac{1}{2} \\times \\(x\\)", r"\frac{1}{2} \times \(x\)"),
        (r"一\n二\n\n1. 三\t四\r\n\"五\" \u4e94", '一\n二\n\n1. 三\t四\r\n"五" 五'),
        (r"if a:\n\treturn 1\n\ttotal = 2", "if a:\n\treturn 1\n\ttotal = 2"),
        (r"a.\nd. four\ne. five\nnot six", "a.\nd. four\ne. five\nnot six"),
        (r"name\tan item\tone\ttwo\textra", "name\tan item\tone\ttwo\textra"),
        (r"C:\\new\\text", r"C:\new\text"),
    ],
)
def test_formulas_are_read_as_written_where_their_backslashes_were_not_doubled(written: str, meant: str) -> None:
    assert parse(f'{{"answer": "{written}"}}', Worked) == (Worked(answer=meant), "")


def test_the_wire_carries_what_the_api_knows_and_none_of_our_own_fields() -> None:
    call = ToolCall("c1", "weather", '{"city": "成都"}')
    said = (
        Message("system", "Be brief."),
        Message("user", "天气？"),
        Message("assistant", "", reasoning_content="secret", tool_calls=(call,), trained=True),
        Message("tool", "", tool_call_id="c1", name="weather"),
    )
    assert wire(said) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "天气？"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "成都"}'}}
            ],
        },
        {"role": "tool", "content": "", "tool_call_id": "c1", "name": "weather"},
    ]


@pytest.mark.parametrize(
    "fault",
    [None, faults.fenced, faults.thought_first, faults.prefaced],
    ids=["good", "fenced", "after a thought", "after a preface"],
)
async def test_an_answer_in_the_shape_is_one_call(fault: faults.Fault | None, tmp_path: Path) -> None:
    async with FaultsServer(good, in_order(fault)) as server, teacher_at(server, tmp_path) as teacher:
        read, reply = await teacher.ask_json(SENT, Grade, "zh")
    assert read == Grade(word="good", points=4.5)
    assert "good" in reply.text
    (call,) = server.calls
    assert call.body["temperature"] == 0
    schema = call.body["response_format"]["json_schema"]
    assert (schema["name"], schema["strict"]) == ("grade", True)
    assert schema["schema"]["required"] == ["word", "points"]
    assert schema["schema"]["additionalProperties"] is False


async def test_nested_objects_are_as_strict_as_the_outer_one(tmp_path: Path) -> None:
    async with FaultsServer(lambda _: f'{{"grades": [{GOOD}]}}') as server, teacher_at(server, tmp_path) as teacher:
        read, _ = await teacher.ask_json(SENT, Grades, "zh")
    assert read == Grades(grades=[Grade(word="good", points=4.5)])
    schema = server.calls[0].body["response_format"]["json_schema"]["schema"]
    assert [(s["required"], s["additionalProperties"]) for s in (schema, schema["$defs"]["Grade"])] == [
        (["grades"], False),
        (["word", "points"], False),
    ]


async def test_samples_of_one_question_are_calls_of_their_own(tmp_path: Path) -> None:
    async with FaultsServer(good) as server, teacher_at(server, tmp_path) as teacher:
        for sample in (0, 1, 1):
            await teacher.ask_json(SENT, Grade, "en", sample=sample)
    assert (len(server.calls), teacher.count.hits) == (2, 1)


@pytest.mark.parametrize(("language", "said"), [("en", "could not be read (not JSON)"), ("zh", "无法读取（not JSON）")])
@pytest.mark.parametrize("fault", [faults.twice, faults.cut_text])
async def test_a_reply_that_cannot_be_read_is_asked_again_with_what_was_wrong(
    fault: faults.Fault, language: str, said: str, tmp_path: Path
) -> None:
    async with FaultsServer(good, in_order(fault)) as server, teacher_at(server, tmp_path) as teacher:
        assert (await teacher.ask_json(SENT, Grade, language))[0] == Grade(word="good", points=4.5)
        assert (await teacher.ask_json(SENT, Grade, language))[0]  # both calls are known now
    first, again = (c.body for c in server.calls)
    assert again["messages"][:2] == first["messages"]
    assert again["messages"][2]["role"] == "assistant"
    assert said in again["messages"][3]["content"]
    assert again["response_format"] == first["response_format"]
    assert (teacher.count.calls, teacher.count.hits) == (2, 2)


@pytest.mark.parametrize("reasks", [0, 1, 3])
async def test_asking_again_has_an_end(reasks: int, tmp_path: Path) -> None:
    prose = FaultsServer(lambda body: f"I do not know, for the {len(body['messages'])}th time.")
    async with prose as server, teacher_at(server, tmp_path) as teacher:
        read, reply = await teacher.ask_json(SENT, Grade, "en", reasks=reasks)
    assert read is None
    assert reply.text.startswith("I do not know")
    assert len(server.calls) == reasks + 1


async def test_a_reply_that_was_cut_at_the_limit_is_not_asked_again(tmp_path: Path) -> None:
    async with (
        FaultsServer(good, always(faults.cut_at_limit)) as server,
        teacher_at(server, tmp_path) as teacher,
    ):
        with pytest.raises(NoAnswer) as none:
            await teacher.ask_json(SENT, Grade, "en")
    assert none.value.reason == "truncated"
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("structured", "asked"), [("json_object", {"response_format": {"type": "json_object"}}), ("text", {})]
)
async def test_an_endpoint_is_asked_for_json_as_it_can(structured: str, asked: dict[str, Any], tmp_path: Path) -> None:
    async with FaultsServer(good) as server, teacher_at(server, tmp_path, structured=structured) as teacher:
        assert (await teacher.ask_json(SENT, Grade, "en"))[0]
    body = server.calls[0].body
    assert {k: v for k, v in body.items() if k == "response_format"} == asked


async def test_a_surrogate_in_a_reply_breaks_neither_this_call_nor_the_next(tmp_path: Path) -> None:
    broken = always(faults.reworded(lambda _: "broken \ud83d"))
    async with FaultsServer(script=broken) as server, teacher_at(server, tmp_path) as teacher:
        read, reply = await teacher.ask_json(SENT, Grade, "en")  # the second call carries the first reply
    assert read is None
    assert json.dumps(reply.text, ensure_ascii=False).encode() == b'"broken ?"'
    assert len(server.calls) == 2


# How JSON is asked for where the recipe leaves it open.

NO_SCHEMA = refused(400, "invalid_request_error", "This response_format type is unavailable now")
NO_FORM = refused(400, "invalid_request_error", "Unrecognized request argument supplied: response_format")
TAKES = {
    "json_schema": lambda call: None,
    "json_object": lambda call: NO_SCHEMA if form(call.body) == "json_schema" else None,
    "text": lambda call: NO_FORM if form(call.body) else None,
}


def form(body: dict[str, Any]) -> str:
    return body.get("response_format", {}).get("type", "")


@pytest.mark.parametrize("takes", TAKES)
async def test_what_an_endpoint_takes_is_found_out_by_one_call_however_many_are_asked_at_once(
    takes: str, tmp_path: Path
) -> None:
    server = FaultsServer(good, TAKES[takes], latency=0.02)
    async with server, teacher_at(server, tmp_path, max_in_flight=256) as teacher:
        asked = (Filled((Message("user", f"第{i}份答卷"),), "grade", "sha") for i in range(256))
        reads = await asyncio.gather(*(teacher.ask_json(sent, Grade, "zh") for sent in asked))
    assert [read for read, _ in reads] == [Grade(word="good", points=4.5)] * 256
    assert len(server.calls) == 256 + (takes != "json_schema")
    assert {form(call.body) for call in server.calls[1:]} == {"" if takes == "text" else takes}


@pytest.mark.parametrize("takes", TAKES)
async def test_an_answer_is_found_again_whatever_form_it_was_asked_in(takes: str, tmp_path: Path) -> None:
    async with FaultsServer(good, TAKES[takes]) as server, teacher_at(server, tmp_path) as teacher:
        assert (await teacher.ask_json(SENT, Grade, "en"))[0]
    before = len(server.calls)
    for structured in ("auto", "json_schema"):
        async with teacher_at(server.url, tmp_path, structured=structured) as teacher:
            assert (await teacher.ask_json(SENT, Grade, "en"))[1].hit
    assert len(server.calls) == before


async def test_a_call_that_fails_while_it_goes_ahead_lets_the_next_one_go(tmp_path: Path) -> None:
    script = in_order(refused(500), faults.reset, NO_SCHEMA)
    async with FaultsServer(good, script) as server, teacher_at(server, tmp_path) as teacher:
        asked = (Filled((Message("user", f"paper {i}"),), "grade", "sha") for i in range(20))
        reads = await asyncio.gather(*(teacher.ask_json(sent, Grade, "en") for sent in asked))
    assert all(read for read, _ in reads)
    assert len(server.calls) == 23


async def test_a_form_that_the_recipe_names_is_asked_for_and_no_other(tmp_path: Path) -> None:
    server = FaultsServer(good, always(NO_SCHEMA))
    async with server, teacher_at(server, tmp_path, structured="json_schema") as teacher:
        with pytest.raises(NoAnswer, match="refused_by_endpoint"):
            await teacher.ask_json(SENT, Grade, "en")
    assert len(server.calls) == 1
