"""Plans beside runs: the same questions to a planner and to the real engine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import BaseModel

from tasks.prompt import Filled
from tasks.recipe import Endpoint, Price
from tasks.record import Message
from tasks.teacher.ask import Teacher
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer
from tasks.teacher.known import Known, known
from tasks.teacher.planner import ANSWER, ENOUGH, Planner
from tasks.teacher.protocol import ChatServer, completion, texts
from tasks.teacher.tokens import tokens
from tests.engines import IDENTITY, engine_at

LONG = "一个很长的回答。" * 60
USAGE = 3  # times as many tokens as our estimate: another tokenizer


class Opinion(BaseModel):
    liked: bool
    why: str


async def answer(body: dict[str, Any]) -> web.Response:
    asked = "\n".join(texts(body))
    text = json.dumps({"liked": False, "why": "no"}) if "opinion" in asked else LONG
    plain = completion(text, "m-1", asked, "length" if "cut" in asked else "stop")
    plain["usage"] = {"prompt_tokens": USAGE * tokens(asked), "completion_tokens": USAGE * tokens(text)}
    return web.json_response(plain)


def question(text: str) -> Filled:
    return Filled((Message("user", text),), "q", "sha")


def plan(path: Path, typical: int = 0, **endpoint: Any) -> Iterator[Teacher]:
    with known(path) as calls:
        yield Teacher(Planner(Endpoint(model="m-1", **endpoint), IDENTITY, "teacher", calls, typical), stage="answer")


async def ran(folder: Path, asked: list[str], **endpoint: Any) -> Count:
    """What a run spends on these questions; its calls stand in the folder's store."""
    count = Count()
    async with ChatServer(answer, "m-1") as server, engine_at(server, folder, **endpoint) as engine:
        teacher = Teacher(engine, count, "answer")
        for text in asked:
            await put(teacher, text)
    return count


async def put(teacher: Teacher, text: str) -> str:
    """One question, of a text or of an opinion."""
    if "opinion" in text:
        return (await teacher.ask_json(question(text), Opinion, "en"))[1].text
    try:
        return (await teacher.ask(question(text), 0.0, 2000)).text
    except NoAnswer as none:
        return none.reason


@pytest.mark.parametrize("structured", ["json_schema", "json_object", "text"])
async def test_what_the_store_holds_is_a_hit_with_its_own_reply(tmp_path: Path, structured: Any) -> None:
    asked = ["why", "an opinion", "cut short"]
    await ran(tmp_path, asked, structured=structured)
    for teacher in plan(tmp_path / "calls.sqlite", structured=structured):
        said = [await put(teacher, text) for text in asked]
        assert said == [LONG, json.dumps({"liked": False, "why": "no"}), "truncated"]
        assert teacher.count == Count(hits=3)
        await put(teacher, "another")
        assert (teacher.count.calls, teacher.count.hits) == (1, 3)


async def test_the_same_question_twice_is_one_call_and_a_hit() -> None:
    teacher = Teacher(Planner(Endpoint(), IDENTITY, "teacher", Known(None)))
    assert await put(teacher, "why") == await put(teacher, "why")
    assert (teacher.count.calls, teacher.count.hits) == (1, 1)


@pytest.mark.parametrize("structured", ["json_schema", "json_object", "text"])
async def test_a_plan_learns_lengths_and_tokenizer_from_the_calls_of_its_stage(tmp_path: Path, structured: Any) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    kinds = ("why number {} is so, and how", "an opinion on number {}")
    end = {"structured": structured, "price": Price(input=1, output=10)}
    await ran(few, [kind.format(i) for i in range(ENOUGH - 1) for kind in kinds], **end)
    await ran(many, [kind.format(i) for i in range(ENOUGH) for kind in kinds], **end)
    new = [kind.format(f"{i}{i}") for i in range(50, 60) for kind in kinds]
    spent = await ran(tmp_path / "new", new, **end)
    for teacher in plan(many / "calls.sqlite", **end):
        for text in new:
            await put(teacher, text)
        assert teacher.count.calls == spent.calls
        assert teacher.count.tokens_in == pytest.approx(spent.tokens_in, rel=0.1)
        assert teacher.count.tokens_out == pytest.approx(spent.tokens_out, rel=0.1)
        assert teacher.count.usd == pytest.approx(spent.usd, rel=0.1)
    for teacher in plan(few / "calls.sqlite", **end):
        for text in new:
            await put(teacher, text)
        assert teacher.count.tokens_out < spent.tokens_out / 2


async def test_another_models_calls_say_nothing_of_this_one(tmp_path: Path) -> None:
    await ran(tmp_path, [f"why {i}" for i in range(ENOUGH)])
    for teacher in plan(tmp_path / "calls.sqlite"):
        teacher.engine.endpoint = Endpoint(model="m-2")
        assert tokens(await put(teacher, "why not")) == pytest.approx(ANSWER, abs=1)


@pytest.mark.parametrize(("typical", "planned"), [(20, ANSWER), (400, 400)])
async def test_an_answer_is_at_least_as_long_as_those_in_the_log(typical: int, planned: int) -> None:
    teacher = Teacher(Planner(Endpoint(), IDENTITY, "teacher", Known(None), typical), stage="answer")
    await put(teacher, "why")
    assert teacher.count.tokens_out == pytest.approx(planned, abs=1)


async def test_a_reply_is_no_longer_than_its_limit() -> None:
    teacher = Teacher(Planner(Endpoint(), IDENTITY, "teacher", Known(None), 9000), stage="answer")
    await put(teacher, "why")
    assert teacher.count.tokens_out == 2000


async def test_a_plan_makes_no_store_and_changes_none(tmp_path: Path) -> None:
    for teacher in plan(tmp_path / "absent" / "calls.sqlite"):
        await put(teacher, "why")
    assert not (tmp_path / "absent").exists()
    await ran(tmp_path, ["why"])
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    for teacher in plan(tmp_path / "calls.sqlite"):
        await put(teacher, "why not")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
