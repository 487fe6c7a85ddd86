"""Stages that hand shards on to each other, with a real engine at a teacher that takes its time where a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest
from aiohttp import web

from tasks.loop import Bench
from tasks.prompt import Filled, PromptError
from tasks.recipe import Budget
from tasks.record import Message, Record
from tasks.shard import write_records
from tasks.step import Outcome
from tasks.tally import Tally
from tasks.teacher.ask import Teacher
from tasks.teacher.protocol import ChatServer, completion, error, texts
from tests.engines import engine_at
from tests.rows import ask

if TYPE_CHECKING:
    from flows.stages import Stages

ROWS = ("slow bread", "soft 面包", "hard cheese", "陈年奶酪")
Asked = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Asks:
    """Asks about each record in its own words and adds them to it; of a record that says `twice` it makes another."""

    word: str
    role: ClassVar[str] = "teacher"
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        said = Message("user", f"{self.word}: {record.instruction}")
        reply = await teacher.ask(Filled((said,), "", ""), 0.0, 10)
        if "odd" in reply.text:
            raise PromptError("a fault of ours")
        told = replace(record, tags=(*record.tags, self.word))
        if self.word == "label" and "twice" in record.instruction:
            return Outcome.keeping(told).making(replace(told, input="another"))
        return Outcome.keeping(told)


@dataclass(frozen=True)
class Looks:
    """Asks nobody; `seen` has who came by."""

    seen: list[str] = field(default_factory=list, repr=False, compare=False)
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: None, dice: Random) -> Outcome:
        self.seen.append(record.instruction)
        return Outcome.keeping(record)


@dataclass
class Kitchen:
    """A bench at work; `asked` are the questions in the order in which they came."""

    bench: Bench
    asked: list[str]

    def shards(self, folder: Path, *said: str) -> list[dict[str, Any]]:
        made = [write_records([ask(text, i)], folder / f"{i}.parquet") for i, text in enumerate(said)]
        return [{"shards": [shard.plain()]} for shard in made]


@asynccontextmanager
async def kitchen(folder: Path, takes: Asked | None = None, budget: Budget | None = None) -> AsyncIterator[Kitchen]:
    """A teacher that says `fine`, after what `takes` waits for; records go in shards of one."""
    asked: list[str] = []

    async def reply(body: dict[str, Any]) -> web.StreamResponse:
        asked.append(said := texts(body)[-1])
        if takes:
            await takes(said)
        if "unpaid" in said:
            return error(401, "invalid_api_key", "no such key")
        return web.json_response(completion("odd" if "odd" in said else "fine", "m-1", said))

    async with (
        ChatServer(reply, "m-1") as server,
        engine_at(server, folder, budget, max_in_flight=2, hedge=0) as engine,
    ):
        yield Kitchen(Bench(folder / "work", 7, 1, {"teacher": engine}), asked)


async def served(bench: Bench, given: list[dict[str, Any]], *steps: Any, at_cap: str = "wait") -> Stages:
    """These stages, run to their end in a flow."""
    from prefect import flow

    from flows.stages import Stages
    from tasks.answer.task import answer

    stages = Stages(bench, at_cap)

    @flow
    async def staged() -> None:
        await stages.through([(answer, step) for step in steps], given)

    await asyncio.wait_for(staged(), 60)
    return stages


def rows(tally: Tally) -> list[Record]:
    """The rows that a stage left."""
    return [r for shard in tally.shards for r in shard.records()]


async def test_a_shard_is_answered_while_a_slow_label_of_another_is_under_way(tmp_path: Path) -> None:
    """With the stages one after the other the label would wait for the answer, and the answer for the label."""
    answered = asyncio.Event()

    async def takes(said: str) -> None:
        if said == "answer: soft 面包":
            answered.set()
        if said == "label: slow bread":
            await answered.wait()

    async with kitchen(tmp_path, takes) as at:
        done = (await served(at.bench, at.shards(tmp_path, *ROWS), Asks("label"), Asks("answer"))).done
    assert [r.instruction for r in rows(done[-1])] == list(ROWS), "in the order in which they came"
    assert {r.tags for r in rows(done[-1])} == {("label", "answer")}
    assert [(t.seen, t.out, t.spent.calls) for t in done] == [(4, 4, 4), (4, 4, 4)]


async def test_a_stage_begins_when_nothing_of_the_one_before_is_left_to_begin(tmp_path: Path) -> None:
    said = [f"question {n} 问" for n in range(20)]  # at two in flight at most five shards are begun
    async with kitchen(tmp_path) as at:
        await served(at.bench, at.shards(tmp_path, *said), Asks("label"), Asks("answer"))
    first = next(i for i, one in enumerate(at.asked) if one.startswith("answer"))
    assert sum(one.startswith("label") for one in at.asked[:first]) >= 15
    assert sorted(at.asked) == sorted(f"{word}: {one}" for word in ("label", "answer") for one in said)


async def test_what_becomes_of_a_shard_in_several_parts_keeps_its_place(tmp_path: Path) -> None:
    said = ["one", "twice 两次", "three 三"]
    async with kitchen(tmp_path) as at:
        stages = await served(at.bench, at.shards(tmp_path, *said), Asks("label"), Asks("answer"), Asks("judge"))
    left = [(r.instruction, r.input) for r in rows(stages.done[-1])]
    assert left == [(said[0], ""), (said[1], ""), (said[1], "another"), (said[2], "")]


async def test_a_stage_that_asks_nobody_waits_for_the_end_of_the_one_before(tmp_path: Path) -> None:
    looks, early = Looks(), list[str]()

    async def takes(said: str) -> None:
        if said == "label: slow bread":
            while "label: 陈年奶酪" not in at.asked:  # in whatever order they came
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)  # in which the others could go on
            early.extend(looks.seen)

    async with kitchen(tmp_path, takes) as at:
        await served(at.bench, at.shards(tmp_path, *ROWS), Asks("label"), looks)
    assert early == []
    assert sorted(looks.seen) == sorted(ROWS)


async def test_what_ends_the_run_in_one_stage_keeps_the_next_from_beginning(tmp_path: Path) -> None:
    async with kitchen(tmp_path) as at:
        given = at.shards(tmp_path, "unpaid 未付", *(f"question {n} 问" for n in range(12)))
        done = (await served(at.bench, given, Asks("label"), Asks("answer"))).done
    assert [t.stage for t in done] == ["test_stage"], "the second stage has not begun"
    assert (done[0].seen, done[0].out + done[0].pending) == (13, 13), "the first one counts all of its rows"
    assert "invalid_api_key" in done[0].stopped["teacher"]


@pytest.mark.parametrize(
    ("at_cap", "counts", "stop"),
    [
        ("wait", [(12, 4, 8)], ("budget", "budget.calls of 4 is reached (4 spent)")),
        ("publish", [(12, 4, 8), (4, 0, 4)], None),
    ],
)
async def test_at_a_cap_the_next_stage_waits_or_goes_on_as_the_recipe_says(
    tmp_path: Path, at_cap: str, counts: list[tuple[int, int, int]], stop: tuple[str, str] | None
) -> None:
    async with kitchen(tmp_path, budget=Budget(calls=4)) as at:
        given = at.shards(tmp_path, *(f"question {n} 问" for n in range(12)))
        stages = await served(at.bench, given, Asks("label"), Asks("answer"), at_cap=at_cap)
    assert [(t.seen, t.out, t.pending) for t in stages.done] == counts
    assert stages.stop == stop


async def test_a_fault_of_one_shard_comes_up_as_itself_and_ends_all(tmp_path: Path) -> None:
    async def takes(said: str) -> None:
        if said == "label: slow bread":
            await asyncio.sleep(3600)

    async with kitchen(tmp_path, takes) as at:
        with pytest.raises(PromptError, match="a fault of ours"):
            await served(at.bench, at.shards(tmp_path, "slow bread", "odd 怪"), Asks("label"), Asks("answer"))


async def test_who_watches_sees_how_many_rows_are_still_to_come(tmp_path: Path) -> None:
    from flows.stage import Stage
    from tasks.answer.task import answer

    async with kitchen(tmp_path) as at:
        first = Stage(answer, Asks("label"), at.bench)
        second = Stage(answer, Asks("answer"), at.bench, first)
        one, other, third = at.shards(tmp_path, *ROWS[:3])
        for number, plain in enumerate((one, other)):
            await first.give((number,), plain, 0)
        assert (first.expected(), first.done(), second.expected()) == (2, 0, 2)
        at.bench.through[one["shards"][0]["path"]] = 1
        await second.give((0,), third, 0)
        assert (first.expected(), first.done(), second.expected(), second.done()) == (2, 1, 2, 0)
