"""The weekly wheel: pull, mine, label, distil, judge, gate, deduplicate, publish, and go round again.

One flow, a task for each shard of each stage. Rows travel by path and tallies from task to task, so that
the Prefect UI draws the wheel as it turns. End states: Published and NothingNew are Completed; Blocked,
Budget and Teacher are Failed under that name, and keep all work for the next run.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from prefect import Task, flow, get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.report import Report, failed, page, stage_line, teacher
from tasks.answer.distill import Distill
from tasks.answer.task import answer
from tasks.clean.task import clean
from tasks.clean.written import Written
from tasks.dedup.answers import OneAnswer
from tasks.dedup.prompts import OnePrompt
from tasks.dedup.task import dedup
from tasks.gate.rows import RowGates
from tasks.gate.suite import read as read_suite
from tasks.gate.task import gate, inspect
from tasks.history.dataset import Dataset, Entry, Unfit, digest, read_manifest
from tasks.history.increment import Closed, Read, finished, stopped
from tasks.judge.task import judge
from tasks.judge.verdict import Judged
from tasks.label.task import label
from tasks.label.task_type import TaskType
from tasks.label.taxonomy import Taxonomy
from tasks.loop import Bench, inputs, reusable
from tasks.mine.task import mine
from tasks.mine.worth import Worth
from tasks.publish.finish import finish, manifest
from tasks.publish.split import Split
from tasks.publish.task import publish, split, stage
from tasks.publish.version import change, parent_rows, rules
from tasks.pull.source import UNREADABLE, Pulled
from tasks.pull.task import pull
from tasks.recipe import Recipe, RecipeError
from tasks.record import SCHEMA
from tasks.scrub.placeholders import Scrub
from tasks.scrub.task import scrub
from tasks.shard import write
from tasks.step import Step
from tasks.tally import Tally, total
from tasks.teacher.budget import Purse
from tasks.teacher.connect import engines
from tasks.teacher.endpoints import RECORDED, check, kind

HELP = {
    "blocked": {"hint": "see the gate; mend the recipe or the suite and run again: no call is paid twice"},
    "budget": {"hint": "raise the budget and run again: it goes on from here"},
    "teacher": {"hint": "mend it and run again: it goes on from here"},
}
END_STATES = {
    "blocked": "Blocked",
    "budget": "Budget",
    "teacher": "Teacher",
    "nothing_new": "NothingNew",
    "plan": "Plan",
}


@flow(name="refresh", flow_run_name="{recipe.output.name}", persist_result=False, validate_parameters=True)
async def refresh(
    recipe: Recipe, since: datetime | None = None, until: datetime | None = None, plan: bool = False
) -> State[Any]:
    """Refresh a dataset from its logs: one turn of the wheel.

    Args:
        recipe: What to read, who teaches, what to keep.
        since: Rows asked before this are left alone (inclusive bound, UTC where it names no zone).
        until: Rows asked at this time or later are left alone (exclusive bound).
        plan: Say rows and calls for each stage and call nobody.
    """
    dataset = Dataset(recipe.dataset)
    with dataset.held():
        report = await Wheel(recipe, dataset).turn(since, until, plan)
    await acreate_markdown_artifact(page(report), key="report", description="What went in, what came out, what it cost")
    name = END_STATES.get(report.status, "Published")
    if report.status in ("blocked", "budget", "teacher"):
        said = report.error["what"] if report.error else ""
        return Failed(name=name, message=said, data=report.plain())
    return Completed(name=name, message=f"{report.rows_new} new rows", data=report.plain())


@dataclass
class Wheel:
    """One turn: the recipe, the dataset, and what the stages did so far."""

    recipe: Recipe
    dataset: Dataset
    stages: list[Tally] = field(default_factory=list)
    purse: Purse = field(default_factory=Purse)
    read: Read = field(default_factory=lambda: Read(SCHEMA.empty_table(), UNREADABLE.empty_table()))
    pulled: list[Pulled] = field(default_factory=list)
    window: tuple[str, str] = ("", "")

    async def turn(self, since: datetime | None, until: datetime | None, plan: bool) -> Report:
        self.fit(plan)
        self.window = tuple(m.isoformat() if m else "" for m in (since, until))  # type: ignore[assignment]
        self.purse = Purse(self.recipe.budget)
        given = await self.pull(since, until)
        if not self.read.records.num_rows and not self.read.unreadable.num_rows:
            return self.report("plan" if plan else "nothing_new")
        async with self.bench(plan) as bench:
            mined = await self.mined(given, bench)
            if plan:
                return self.planned()
            early = tuple(self.stages)
            answered = await self.answered(mined, bench)
            if stop := self.stop():
                return self.end_early(stop, early)
            rows, last = await self.rows(answered, bench)
            return await self.publish(rows, last, early)

    def fit(self, plan: bool) -> None:
        """Raises RecipeError or Unfit before anything is read."""
        recipe, head = self.recipe, self.dataset.head
        if not recipe.sources:
            raise RecipeError(
                "no logs to read", "sources", "name a file with --source, or under sources: in the recipe"
            )
        if head and (head.teacher == RECORDED) != bool(recipe.teacher.recorded) and not plan:
            what = "the recorded teacher" if head.teacher == RECORDED else head.teacher
            raise Unfit(f"{recipe.output.name} was made by {what}; give this teacher's rows another output.name")
        read_suite(recipe.gates.suite)
        Taxonomy.read(recipe.label.taxonomy)
        if not plan:
            check(recipe)

    @asynccontextmanager
    async def bench(self, plan: bool) -> AsyncIterator[Bench]:
        async with AsyncExitStack() as stack:
            made = {}
            if not plan:
                made = await stack.enter_async_context(engines(self.recipe, self.dataset.calls, self.purse))
            yield Bench(self.dataset.work, self.recipe.seed, self.recipe.shard_rows, made)

    async def pull(self, since: datetime | None, until: datetime | None) -> list[dict[str, Any]]:
        """Read every source; what an earlier run left pending comes first."""
        waiting = self.dataset.pending
        given: list[dict[str, Any]] = []
        if waiting.num_rows:
            shard = write(waiting, self.dataset.work / "pull" / "pending.parquet")
            given.append({"shards": [shard.plain()]})
        for i, source in enumerate(self.recipe.sources):
            folder = str(self.dataset.work / "pull" / f"{i:03d}")
            plain = pull(source, since, until, self.dataset, folder, self.recipe.shard_rows)
            given.append(plain)
            self.pulled.append(Pulled.of(plain))
            self.say(f"pull     {self.pulled[-1].read} rows read from {source.uri}, {self.pulled[-1].seen} seen before")
        records = [s.table() for s in inputs(given, None)]
        bad = [s.table() for p in self.pulled for s in p.unreadable]
        self.read = Read(
            pa.concat_tables(records or [SCHEMA.empty_table()]),
            pa.concat_tables(bad or [UNREADABLE.empty_table()]),
            sum(p.seen for p in self.pulled),
        )
        return given

    async def mined(self, given: list[dict[str, Any]], bench: Bench) -> list[dict[str, Any]]:
        """Prompts that are worth an answer and were never asked."""
        r = self.recipe
        given = await self.over(clean, Written(r.clean.html, tuple(r.clean.boilerplate)), given, bench)
        given = await self.over(scrub, Scrub(), given, bench)
        given = await self.over(mine, Worth(tuple(r.mine.languages), r.mine.min_units, r.mine.max_units), given, bench)
        return await self.fold(dedup, "prompts", OnePrompt(r.dedup.threshold, self.dataset.past), given, bench)

    async def answered(self, given: list[dict[str, Any]], bench: Bench) -> list[dict[str, Any]]:
        """Labelled, answered, judged, and through the row gates."""
        r, a = self.recipe, self.recipe.answer
        taxonomy = Taxonomy.read(r.label.taxonomy)
        distill = Distill(
            tuple(a.chain_of_thought_for), a.keep_reasoning, a.few_shot, a.pool, a.temperature, a.max_tokens, a.reasks
        )
        for task, step in (
            (label, TaskType(taxonomy, r.label.temperature, r.label.reasks)),
            (answer, distill),
            (judge, Judged(r.judging.reasks)),
            (gate, RowGates(r.judging.min_score)),
        ):
            given = await self.over(task, step, given, bench)
            if self.stop():
                break
        return given

    async def rows(self, given: list[dict[str, Any]], bench: Bench) -> tuple[pa.Table, list[dict[str, Any]]]:
        """The rows to publish, each with its side."""
        d, s, past = self.recipe.dedup, self.recipe.split, self.dataset.past
        one = OneAnswer(d.answer_threshold, d.close, d.max_answer_share, d.max_answer_rows, past)
        given = await self.fold(dedup, "answers", one, given, bench)
        sided = await self.fold(split, "sides", Split(s.validation, s.test, d.close, past), given, bench)
        return pa.concat_tables([x.table() for x in inputs(sided, None)]), sided

    async def publish(self, rows: pa.Table, last: list[dict[str, Any]], early: Sequence[Tally]) -> Report:
        """Stage, inspect, commit; or say why not."""
        late = self.stages[len(early) :]
        path = self.recipe.gates.suite
        findings = inspect("this run", path, [t.plain() for t in late], None)
        if why := blocking(findings):
            return self.end_early(("blocked", why), early)
        closed = finished(self.read, early, late, rows)
        if not rows.num_rows:
            self.dataset.commit(self.entry("nothing_new", closed), closed.tables)
            return self.report("nothing_new", closed)
        base = self.dataset.base
        parent = str(self.dataset.versions / base) if base else None
        folder = self.dataset.work / "version"
        staged = stage(str(folder), rows, parent, self.merged(closed), last)
        findings += inspect("the staged files", path, [], staged)
        if why := blocking(findings):
            return self.end_early(("blocked", why), early)
        entry = self.finish(closed, rows.num_rows, staged, findings)
        where = publish(self.dataset, entry, closed.tables, staged, findings)
        report = self.report("published", closed)
        shutil.rmtree(self.dataset.work)
        report.version, report.path, report.rows_new = entry.version, where, rows.num_rows
        return report

    def finish(self, closed: Closed, new: int, staged: dict[str, Any], findings: list[dict[str, Any]]) -> Entry:
        """The version's manifest, card and reports; gives the entry that will publish it."""
        folder, base = Path(staged["folder"]), self.dataset.base
        made_by = rules(Taxonomy.read(self.recipe.label.taxonomy), self.recipe.split)
        parent = read_manifest(self.dataset.versions / base) if base else None
        number = self.dataset.next_version(change(parent, made_by, new))
        entry = self.entry("published", closed, number)
        sides = parent_rows(folder)
        marks = [s["watermark"] for e in (*self.dataset.chain, entry) for s in e.sources if s["watermark"]]
        chain = [{"seq": e.seq, "sha256": digest(e, self.dataset)} for e in self.dataset.chain] + [{"seq": entry.seq}]
        plain = manifest(
            self.recipe, number, base, staged["files"], sides, made_by, max(marks, default=""), chain, entry.ledger, new
        )
        prompts = {p for step in (TaskType, Distill, Judged) for p in step.prompts}
        finish(folder, plain, sides, findings, self.stages, prompts, self.recipe.card_language)
        return entry

    def end_early(self, stop: tuple[str, str], early: Sequence[Tally]) -> Report:
        """Record the increment with everything that the teacher was to see still pending."""
        status, why = stop
        closed = stopped(self.read, early)
        self.dataset.commit(self.entry(status, closed, why=why), closed.tables)
        report = self.report(status, closed)
        report.error = failed(status, why, **HELP[status]).error
        return report

    def entry(self, kind_: str, closed: Closed, version: str | None = None, why: str = "") -> Entry:
        since, until = self.window
        sources = [
            {k: getattr(p, k) for k in ("source", "uri", "seen", "outside", "new", "watermark")}
            | {"since": since, "until": until}
            for p in self.pulled
        ]
        head = self.dataset.head
        return Entry(
            seq=self.dataset.next_seq,
            kind=kind_,
            parent=head.seq if head else None,
            base=version or self.dataset.base,
            version=version,
            teacher=kind(self.recipe),
            sources=sources,
            ledger=closed.ledger.counts,
            why=why,
        )

    def merged(self, closed: Closed) -> dict[str, list[str]]:
        """Log ids to add to published rows: whatever merged into them, now or since they were published."""
        into: dict[str, list[str]] = defaultdict(list)
        for row in [*self.dataset.ledger().to_pylist(), *closed.tables["ledger"].to_pylist()]:
            if row["state"] == "merged":
                into[row["into"]].append(row["log_id"])
        return into

    async def over(
        self, task: Task[..., Any], step: Step, given: list[dict[str, Any]], bench: Bench
    ) -> list[dict[str, Any]]:
        """A stage: one task for each shard, all on one loop, a few at a time."""
        room = asyncio.Semaphore(
            max(4, 2 * max((e.endpoint.max_in_flight for e in bench.engines.values()), default=1) // bench.shard_rows)
        )
        parts = [(plain, i) for plain in given for i in range(len(plain["shards"]))]

        async def one(number: int, plain: dict[str, Any], part: int) -> dict[str, Any]:
            async with room:
                fresh = task.with_options(refresh_cache=not reusable(step, [plain], part, bench))
                return await fresh(f"{number:05d}", step, [plain], part, bench)

        return self.done(task.name, await asyncio.gather(*(one(n, p, i) for n, (p, i) in enumerate(parts))))

    async def fold(
        self, task: Task[..., Any], what: str, step: Step, given: list[dict[str, Any]], bench: Bench
    ) -> list[dict[str, Any]]:
        """A stage that sees all rows at once."""
        fresh = task.with_options(refresh_cache=not reusable(step, given, None, bench))
        return self.done(what, [await fresh(what, step, given, bench)])

    def done(self, name: str, plain: list[dict[str, Any]]) -> list[dict[str, Any]]:
        tallies = [Tally.of(p) for p in plain]
        whole = total(tallies[0].stage if tallies else name, tallies)
        self.stages.append(whole)
        self.say(stage_line(name, whole))
        return plain

    def say(self, line: str) -> None:
        get_run_logger().info(line, extra={"flywheel": True})

    def stop(self) -> tuple[str, str] | None:
        """Why the run must end here, if it must."""
        for reason in ("teacher", "budget"):
            if said := next((t.stopped[reason] for t in self.stages if reason in t.stopped), None):
                return reason, said
        return None

    def planned(self) -> Report:
        """What a run would ask, and of how many rows."""
        report = self.report("plan")
        prompts = self.stages[-1].out
        report.plan = {"prompts": prompts, "label_calls": prompts, "answer_calls": prompts, "judge_calls": prompts}
        return report

    def report(self, status: str, closed: Closed | None = None) -> Report:
        counts = closed.ledger.counts if closed else {"seen": self.read.seen} if self.read.seen else {}
        base = self.dataset.base
        splits = read_manifest(self.dataset.versions / base)["splits"] if base else {}
        return Report(
            status,
            dataset=self.recipe.output.name,
            rows_read=sum(p.read for p in self.pulled),
            rows_total=sum(splits.values()),
            ledger=counts,
            teacher=teacher(self.purse.spent),
            stages=[t.plain() for t in self.stages],
            outside=sum(p.outside for p in self.pulled),
            splits=splits,
        )


def blocking(findings: list[dict[str, Any]]) -> str:
    """Which critical gates do not hold, and by how much; empty when none blocks."""
    broken = [f for f in findings if not f["passed"] and f["severity"] == "critical"]
    return "; ".join(f"gate {f['rule']}: {f['observed']}, expected {f['expected']}" for f in broken)
