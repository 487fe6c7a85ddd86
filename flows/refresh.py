"""The weekly wheel: pull, mine, label, distil, judge, gate, deduplicate, publish, and go round again.

One flow, a task for each shard of each stage. Rows travel by path and tallies from task to task, so that
the Prefect UI draws the wheel as it turns. End states: Published, NothingNew and Plan are Completed;
Blocked, Budget and Teacher are Failed under that name, and keep all work for the next run.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Annotated, Any

import pyarrow as pa
from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from pydantic import BeforeValidator

from flows import labelling
from flows.artifacts import leave
from flows.checking import checks
from flows.closing import Closing, Taken
from flows.costs import costs
from flows.fitting import fitting
from flows.following import follow
from flows.labelling import by_teacher
from flows.notify import tell, telling
from flows.planning import planned
from flows.producing import by_made, catches_all, chain, making, produced, starts
from flows.report import Report
from flows.small_model import by_small_model
from flows.stage import Work
from flows.stages import Given, Stages, say
from tasks.answer.task import answer
from tasks.clean.task import clean
from tasks.clean.written import Written
from tasks.dedup.answers import OneAnswer
from tasks.dedup.prompts import OnePrompt
from tasks.dedup.task import dedup
from tasks.history.dataset import Dataset, Unfit
from tasks.history.increment import Read
from tasks.label.task import label
from tasks.label.task_type import TaskType
from tasks.link import Linked
from tasks.loop import Bench, inputs
from tasks.mapped import spooled
from tasks.mine.decontaminate import Decontaminate
from tasks.mine.repeated import Repeated
from tasks.mine.task import mine, repeats
from tasks.mine.worth import chosen
from tasks.publish.split import Split
from tasks.publish.task import split
from tasks.pull.source import UNREADABLE, Pulled
from tasks.pull.task import pull
from tasks.recipe import Recipe, RecipeError, read
from tasks.schema import SCHEMA
from tasks.scrub.placeholders import Scrub
from tasks.scrub.task import scrub
from tasks.shard import write, write_json
from tasks.teacher.budget import Purse
from tasks.teacher.collector import calm
from tasks.teacher.connect import engines
from tasks.teacher.endpoints import RECORDED, check
from tasks.teacher.sight import strangers

COMPLETED = {"published": "Published", "nothing_new": "NothingNew", "plan": "Plan"}
Whole = Annotated[  # a file is read when the run starts, so a deployment never holds an old copy of it
    Recipe, BeforeValidator(lambda given: read(given) if isinstance(given, str) else given, Recipe | str)
]
FAILED = {"blocked": "Blocked", "budget": "Budget", "teacher": "Teacher"}


@flow(name="refresh", flow_run_name="{recipe.output.name}", persist_result=False, validate_parameters=True)
async def refresh(
    recipe: Whole, since: datetime | None = None, until: datetime | None = None, plan: bool = False
) -> State[Any]:
    """Refresh a dataset from its logs: one turn of the wheel.

    Args:
        recipe: What to read, who teaches, what to keep: field by field, or the path of a recipe's file.
        since: Rows asked before this are left alone (inclusive bound, UTC where it names no zone).
        until: Rows asked at this time or later are left alone (exclusive bound).
        plan: Say calls, tokens and money for each stage and call nobody.
    """
    return await turned(recipe, since, until, plan)


async def turned(recipe: Recipe, since: datetime | None, until: datetime | None, plan: bool) -> State[Any]:
    """A turn with all that belongs to it: the dataset held, hooks and notes afterwards, the end as a state."""
    dataset, began = Dataset(recipe.dataset), datetime.now(UTC)
    with telling(recipe, say), dataset.held():
        fit(recipe, dataset, plan)
        purse, run_name = Purse(recipe.budget), run_of(dataset)
        report = await turn(recipe, dataset, purse, since, until, plan)
        report.costs = costs(dataset.calls, run_name, purse, report.rows_new)
        times = {"began": began.isoformat(), "ended": datetime.now(UTC).isoformat(), "flow_run": flow_run.id}
        run = dataset.runs / f"{began:%Y%m%dT%H%M%S.%f}.json"
        write_json(report.plain() | times, run)
    await follow(recipe, report, run.with_suffix(".then.log"))
    report.warnings += tell(recipe.notify, report)
    if report.then or report.warnings:
        write_json(report.plain() | times, run)
    await leave(report)
    if report.status in FAILED:
        said = report.error["what"] if report.error else ""
        return Failed(name=FAILED[report.status], message=said, data=report.plain())
    return Completed(name=COMPLETED[report.status], message=f"{report.rows_new} new rows", data=report.plain())


def fit(recipe: Recipe, dataset: Dataset, plan: bool) -> None:
    """Raises RecipeError or Unfit before anything is read."""
    fitting(recipe)
    head = dataset.head
    if head and (head.teacher == RECORDED) != bool(recipe.teacher.recorded) and not plan:
        what = "the recorded teacher" if head.teacher == RECORDED else head.teacher
        raise Unfit(f"{recipe.output.name} was made by {what}; give this teacher's rows another output.name")
    published = {e.version for e in dataset.entries}
    if unknown := sorted(set(recipe.output.pinned) - published):
        raise RecipeError(
            f"no version {unknown[0]} was ever published", "output.pinned", "pin one of flywheel versions"
        )
    if not plan:
        check(recipe)


async def turn(
    recipe: Recipe, dataset: Dataset, purse: Purse, since: datetime | None, until: datetime | None, plan: bool
) -> Report:
    """The wheel, in its order."""
    taken, given, waiting = pulled(recipe, dataset, since, until)
    async with AsyncExitStack() as stack:
        bench = Bench(dataset.work, recipe.seed, recipe.shard_rows)
        stages = Stages(bench, recipe.budget.at_cap)
        closing = Closing(recipe, dataset, taken, purse, stages.done)
        if taken.nothing and (recipe.sources or not starts(chain(recipe)[0])):
            return closing.report("plan" if plan else "nothing_new")
        if not plan:  # before there is anything to ask: where processes of their own send, they start meanwhile
            bench.engines.update(
                await stack.enter_async_context(engines(recipe, dataset.calls, purse, run_of(dataset), say))
            )
        given = await mined(recipe, dataset, stages, given)
        if plan:
            report = closing.report("plan")
            asking = [step for _, step in answering(recipe)]
            report.plan = await planned(
                recipe, dataset, asking, inputs([*given, *waiting], None), making(recipe, given)
            )
            return report
        closing.early = tuple(stages.done)
        stack.enter_context(calm())
        given = await produced(recipe, dataset, stages, given, waiting)
        closing.produced = tuple(stages.done[len(closing.early) :])
        given = [] if stages.stop else await answered(recipe, dataset, stages, given)
        if stages.stop:
            report = closing.cut_short(*stages.stop)
            report.warnings += strangers(bench.engines)
            return report
        given = await placed(recipe, dataset, stages, given)
        report = closing.settle(spooled((s.table() for s in inputs(given, None)), SCHEMA, dataset.work), given)
        report.warnings += [*stages.idle, *strangers(bench.engines)]
        return closing.capped(report, stages.capped) if stages.capped else report


def pulled(
    recipe: Recipe, dataset: Dataset, since: datetime | None, until: datetime | None
) -> tuple[Taken, Given, Given]:
    """Read every source; log rows that an earlier run left pending come first, what techniques made apart."""
    given: Given = []
    waiting: Given = []
    for rows, where, file in zip(by_made(dataset.pending), (given, waiting), ("pending", "made"), strict=True):
        if rows.num_rows:
            where.append({"shards": [write(rows, dataset.work / "pull" / f"{file}.parquet").plain()]})
    sources = []
    for i, source in enumerate(recipe.sources):
        folder = str(dataset.work / "pull" / f"{i:03d}")
        plain = pull(source, since, until, dataset, folder, recipe.shard_rows, recipe.pull)
        given.append(plain)
        sources.append(Pulled.of(plain))
        say(f"pull     {sources[-1].read} rows read from {source.uri}, {sources[-1].seen} seen before")
    read = Read(
        inputs([*given, *waiting], None),
        pa.concat_tables([s.table() for p in sources for s in p.unreadable] or [UNREADABLE.empty_table()]),
        sum(p.seen for p in sources),
    )
    window = (since.isoformat() if since else "", until.isoformat() if until else "")
    return Taken(sources, read, window), given, waiting


async def mined(recipe: Recipe, dataset: Dataset, stages: Stages, given: Given) -> Given:
    """Prompts that are worth an answer and were never asked."""
    c, m, r = recipe.clean, recipe.mine, recipe.mine.repeats
    steps: list[Work] = [
        (clean, Written(c.html, tuple(c.boilerplate), tuple(c.normalise))),
        (scrub, Scrub()),
        (mine, chosen(m)),
        *([(mine, Decontaminate(tuple(m.benchmarks)))] if m.benchmarks else []),
    ]
    given = await stages.through(steps, given)
    repeated = Repeated(r.user_rows, r.user_share, r.alike, r.pasted_users, r.pasted_share)
    given = await stages.fold(repeats, "repeats", repeated, given)
    return await stages.fold(dedup, "prompts", OnePrompt(recipe.dedup.threshold, dataset.past), given)


async def answered(recipe: Recipe, dataset: Dataset, stages: Stages, given: Given) -> Given:
    """Labelled, answered, judged, and through the row gates; cut short where the teacher or the budget ends. Each shard
    goes on by itself, but for where a small model learns of all of them."""
    ready: list[Work] = []
    for task, step in answering(recipe):
        if isinstance(step, TaskType):
            given = await labelling.by_small_model(recipe, dataset, stages, given)
        elif recipe.answer.small_model and isinstance(step, Linked) and catches_all(step):
            given, ready = await stages.through(ready, given), []
            given = given if stages.stop else await by_small_model(recipe, step, dataset, stages, given)
        if stages.stop:
            return given
        ready.append((task, step))
    return await stages.through(ready, given)


def answering(recipe: Recipe) -> list[Work]:
    """What makes rows of prompts, in order."""
    return [(label, by_teacher(recipe)), *((answer, link) for link in chain(recipe)[1]), *checks(recipe)]


async def placed(recipe: Recipe, dataset: Dataset, stages: Stages, given: Given) -> Given:
    """One row for one answer, each with its side of the split."""
    d, s, past = recipe.dedup, recipe.split, dataset.past
    one = OneAnswer(d.answer_threshold, d.close, d.max_answer_share, d.max_answer_rows, past)
    given = await stages.fold(dedup, "answers", one, given)
    return await stages.fold(split, "sides", Split(s.validation, s.test, d.close, past), given)


def run_of(dataset: Dataset) -> str:
    """The run's name in the call store: a run that was killed goes on under the same one."""
    return f"{dataset.next_seq:05d}"
