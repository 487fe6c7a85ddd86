"""A technique run on records through the one loop, with a scripted teacher, so that balance and lineage are checked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.link import Linked
from tasks.loop import Bench, run
from tasks.record import Record
from tasks.schema import records, table
from tasks.shard import write
from tasks.step import Step, name
from tasks.tally import Tally
from tests.engines import engine_at
from tests.faults import Body, FaultsServer, Script


@dataclass(frozen=True)
class Ran:
    """What a technique left: its tally, the records that go on, what was dropped as (reason, last turn, detail)."""

    tally: Tally
    out: list[Record]
    dropped: list[tuple[str, str, str]]
    asked: list[Body]

    @property
    def made(self) -> list[Record]:
        return [r for r in self.out if r.made]

    @property
    def reasons(self) -> list[str]:
        return [reason for reason, _, _ in self.dropped]


def all_is_well(_: object) -> None:
    return None


@asynccontextmanager
async def bench(
    folder: Path, answer: Callable[[Body], str], script: Script = all_is_well, **endpoint: Any
) -> AsyncIterator[tuple[Bench, FaultsServer]]:
    async with FaultsServer(answer, script) as server, engine_at(server, folder, **endpoint) as engine:
        yield Bench(folder / "work", 7, engines={"teacher": engine, "judge": engine, "second": engine}), server


async def ran(
    step: Step,
    given: Sequence[Record],
    folder: Path,
    answer: Callable[[Body], str] = lambda _: "",
    script: Script = all_is_well,
    **endpoint: Any,
) -> Ran:
    """The step on one shard of these records, as a link of a chain."""
    shard = write(table(given), folder / "given.parquet")
    async with bench(folder, answer, script, **endpoint) as (at, server):
        tally = await run(Linked(step, name(step), "produce"), [shard], at)
        out = [r for s in tally.shards for r in records(s.table())]
        gone = [row for s in tally.dropped_in for row in s.table().to_pylist()]
    dropped = [(row["reason"], row["messages"][-1]["content"], row["detail"]) for row in gone]
    return Ran(tally, out, dropped, [call.body for call in server.calls])
