"""One stage under way: a task for each shard of its input, as many at once as keep the endpoint busy.

What a task leaves goes on to the next stage at once. A stage that asks a teacher begins when nothing of the one before
is left to begin: they follow each other, and yet the last slow answers of one leave no place in flight empty. One that
asks nobody waits for the end: it would only take time from calls that are under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prefect import Task
from prefect.utilities.annotations import quote

from flows.progress import watched
from tasks.link import AnyStep, Linked
from tasks.loop import Bench, reusable, rows_taken
from tasks.shard import Shard
from tasks.teacher.sight import Sight, sight

Work = tuple[Task[..., Any], AnyStep]  # a Prefect task, and the step that it takes over each shard
Place = tuple[int, ...]  # of a shard among others: that of the one it was made of, and its own where there are several
Ends = Callable[[Mapping[str, str]], bool]  # whether what made rows wait (`Tally.stopped`) ends the run
Coming = tuple[Place, dict[str, Any], int]  # a shard's place, the tally that names it, and its number there


@dataclass(eq=False)
class Stage:
    """A step over shards as they come: from the stage `before`, or else from the run, until `all_given`."""

    task: Task[..., Any]
    step: AnyStep
    bench: Bench
    before: Stage | None = None
    after: Stage | None = None
    tallies: dict[Place, dict[str, Any]] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)  # why its rows wait that do
    rows: dict[str, int] = field(default_factory=dict)  # by shard; what a link lets pass is no part of its progress
    coming: asyncio.Queue[Coming | None] = field(default_factory=asyncio.Queue)
    begun: asyncio.Event = field(default_factory=asyncio.Event)  # nothing of it is left to begin
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        if self.before:
            self.before.after = self

    @property
    def called(self) -> str:
        return self.step.called if isinstance(self.step, Linked) else self.task.name

    async def give(self, place: Place, tally: dict[str, Any], part: int) -> None:
        """Take in a shard of a tally."""
        plain = tally["shards"][part]
        self.rows[plain["path"]] = await asyncio.to_thread(rows_taken, self.step, Shard.of(plain))
        self.coming.put_nowait((place, tally, part))

    def all_given(self) -> None:
        self.coming.put_nowait(None)

    def held(self, ends: Ends) -> bool:
        """Whether what a stage before it met ends the run."""
        return self.before is not None and (ends(self.before.stopped) or self.before.held(ends))

    async def run(self, crew: asyncio.TaskGroup, ends: Ends) -> None:
        """To its end, its tasks in `crew`; from the moment on that it is held, without the shards that are left."""
        if self.before:
            await (self.before.begun if self.sight() else self.before.ended).wait()
        working: list[asyncio.Task[None]] = []
        busy = -(-self.bench.at_once // self.bench.shard_rows) if self.sight() else 0  # shards that fill all places
        room = asyncio.Semaphore(busy + 2)  # and one that ends, and one that follows
        came = await self.coming.get()
        async with watched(self.called, self.expected, self.done, self.sight):
            while came:
                await room.acquire()
                if self.held(ends):
                    break
                working.append(crew.create_task(self.over(*came)))
                working[-1].add_done_callback(lambda _: room.release())
                came = await self.coming.get()
            self.begun.set()
            if working:
                await asyncio.wait(working)
            self.ended.set()
        if self.after:
            self.after.all_given()

    async def over(self, place: Place, given: dict[str, Any], part: int) -> None:
        """One shard."""
        path, (first, *others) = given["shards"][part]["path"], place
        fresh = self.task.with_options(refresh_cache=not reusable(self.step, [given], part, self.bench))
        named = ".".join([f"{first:05d}", *map(str, others)])
        left = self.tallies[place] = await fresh(named, quote(self.step), [given], part, quote(self.bench))
        self.bench.through[path] = self.rows[path]
        self.stopped |= left["stopped"]
        if self.after:
            many = len(left["shards"])
            for nth in range(many):
                await self.after.give(place if many == 1 else (*place, nth), left, nth)

    def sight(self) -> Sight | None:
        """What its engines do; None where it asks nobody."""
        return sight(self.step, self.bench.engines)

    def done(self) -> int:
        """Rows that are through."""
        return sum(self.bench.through[path] for path in self.rows)

    def expected(self) -> int:
        """Rows that are through or will be, as far as can be said before all have come."""
        return sum(self.rows.values()) + (self.before.expected() - self.before.done() if self.before else 0)

    @property
    def in_order(self) -> list[dict[str, Any]]:
        """What its tasks left, in the order of their shards."""
        return [self.tallies[place] for place in sorted(self.tallies)]
