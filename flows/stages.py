"""Run steps over shards as Prefect tasks, and keep the tallies: the mechanics that every flow shares."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
from prefect import Task, get_run_logger
from prefect.utilities.annotations import quote

from flows.progress import watched
from flows.report import stage_line
from flows.stage import Stage, Work
from tasks.link import AnyStep, Linked
from tasks.loop import Bench, inputs, reusable, rows_taken
from tasks.step import name
from tasks.tally import Tally, total
from tasks.teacher.sight import sight
from tasks.teacher.tiers import models

Given = list[dict[str, Any]]  # what stages pass on: tallies as plain data, rows by path
UNREADABLE, NAMED = "unreadable", 5  # what could not be read, and how much of it is named


@dataclass
class Stages:
    """The stages of one run, in order, each as one tally.

    Prefect looks through all that a task is given for results of other tasks. Those are the tallies; a step, with its
    taxonomy say, and the bench are quoted, so that it looks past them.
    """

    bench: Bench
    at_cap: str = "wait"
    done: list[Tally] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)  # a sentence for each link that had nothing to do

    async def over(self, task: Task[..., Any], step: AnyStep, given: Given) -> Given:
        """A stage: one task for each shard."""
        return await self.through([(task, step)], given)

    async def through(self, steps: Sequence[Work], given: Given) -> Given:
        """Stages one after the other, a task for each shard of each, all on one loop: see `Stage`."""
        self.bench.through.clear()
        row: list[Stage] = []
        for task, step in steps:
            row.append(Stage(task, step, self.bench, row[-1] if row else None))
        fault: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as crew:
                for stage in row:
                    crew.create_task(self.run(stage, crew))
                shards = [(plain, part) for plain in given for part in range(len(plain["shards"]))]
                for number, one in enumerate(shards):
                    await row[0].give((number,), *one)
                row[0].all_given()
        except BaseExceptionGroup as faults:
            fault = faults.exceptions[0]
        if fault:
            raise fault
        return row[-1].in_order

    async def run(self, stage: Stage, crew: asyncio.TaskGroup) -> None:
        """A stage to its end, and counted if it has begun."""
        await stage.run(crew, self.ends)
        if stage.tallies or not stage.held(self.ends):
            self.counted(stage.called, stage.step, stage.in_order)

    async def fold(self, task: Task[..., Any], what: str, step: AnyStep, given: Given) -> Given:
        """A stage that sees all rows at once."""
        fresh = task.with_options(refresh_cache=not reusable(step, given, None, self.bench))
        if step.shape != "grow":
            return self.counted(what, step, [await fresh(what, quote(step), given, quote(self.bench))])
        self.bench.through.clear()
        rows = getattr(step, "target", None) or await asyncio.to_thread(taken, step, given)
        async with watched(what, lambda: rows, self.bench.through.total, lambda: sight(step, self.bench.engines)):
            grown = await fresh(what, quote(step), given, quote(self.bench))
        return self.counted(what, step, [grown])

    async def link(self, each: Task[..., Any], whole: Task[..., Any], link: Linked, given: Given) -> Given:
        """A link of a chain: by shards where it takes one record at a time, else over all of them."""
        if link.shape in ("each", "table"):
            return await self.over(each, link, given)
        return await self.fold(whole, link.called, link, given)

    def counted(self, shown: str, step: AnyStep, plain: Given) -> Given:
        whole = total(name(step), map(Tally.of, plain))
        whole = replace(whole, model=", ".join(models(step, self.bench.engines)))
        self.done.append(whole)
        self.idle += idle(step, whole)
        say(stage_line(shown, whole))
        for line in unread(whole):
            say(line)
        return plain

    def ends(self, stopped: Mapping[str, str]) -> bool:
        """Whether what a stage met ends the run, however many rows are left."""
        return "teacher" in stopped or ("budget" in stopped and self.at_cap == "wait")

    @property
    def stop(self) -> tuple[str, str] | None:
        """Why the run must end here, as (status, sentence), if it must: the teacher cannot be used, or answered
        nothing at all, or the budget is spent and what is answered shall wait. Rows that fail in passing among others
        that do not only wait."""
        for tally in self.done:
            if "teacher" in tally.stopped:
                return "teacher", tally.stopped["teacher"]
            if "outage" in tally.stopped and tally.pending == tally.seen:
                return "teacher", f"the teacher answered none of {tally.seen} questions: {tally.stopped['outage']}"
        return ("budget", self.capped) if self.capped and self.at_cap == "wait" else None

    @property
    def capped(self) -> str:
        """Which cap of the budget was reached; empty where none was."""
        return next((t.stopped["budget"] for t in self.done if "budget" in t.stopped), "")


def taken(step: AnyStep, given: Given) -> int:
    """How many rows the step takes: what a link lets pass is no part of its progress."""
    return sum(rows_taken(step, shard) for shard in inputs(given, None))


def idle(step: AnyStep, tally: Tally) -> list[str]:
    """Why a link did nothing to any row that it took, where it says so itself (`idle`: a note and what it means)."""
    mine = tally.seen - (tally.passed or 0)
    known: dict[str, str] = getattr(step, "idle", {})
    said = [why for what, why in known.items() if tally.noted.get(what) == mine]
    return [f"{name(step)} left all of its {mine} rows: {why}" for why in said]


def unread(tally: Tally) -> list[str]:
    """The first files, or parts of files, that a technique could not read, a line each."""
    if UNREADABLE not in tally.dropped:
        return []
    gone = pa.concat_tables([shard.table(["reason", "detail"]) for shard in tally.dropped_in])
    details = [row["detail"] for row in gone.to_pylist() if row["reason"] == UNREADABLE]
    more = [f"         and {len(details) - NAMED} more"] * (len(details) > NAMED)
    return [*(f"         cannot read {detail}" for detail in details[:NAMED]), *more]


def say(line: str) -> None:
    """A line of progress: in the run's log, and on the terminal where a command runs the flow."""
    get_run_logger().info(line, extra={"flywheel": True})
