"""A small model answers for the teacher: it learns a task type from some answers, is measured, and answers the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.checking import checks
from flows.lesson import Lesson, earlier
from flows.school import School
from flows.stages import Given, Stages, say
from tasks.answer.form import Form
from tasks.answer.small_model import ANSWERED, learnt_by
from tasks.answer.task import answer
from tasks.history.dataset import Dataset
from tasks.link import Linked, Only, kinds
from tasks.loop import inputs
from tasks.recipe import Recipe
from tasks.recipe.small_model import SmallModelAnswers
from tasks.record import Record
from tasks.schema import SCHEMA, records, table
from tasks.shard import write
from tasks.tally import Tally
from tasks.teacher.budget import cost

FEWEST = 30  # answers in the form, below which there is nothing to learn from


async def by_small_model(recipe: Recipe, distill: Linked, dataset: Dataset, stages: Stages, given: Given) -> Given:
    """The records, those of one task type with the teacher's answer as far as a model needs it to learn, and with the
    model's from there on. What it does not answer in the form is left to the teacher, as are all other types."""
    told = recipe.answer.small_model
    if told is None:
        return given
    before, form = earlier(dataset, told.task_type), Form.of(told.form)
    only = Only(task_types=(told.task_type,), share=drawn(given, told, len(before)))
    given = await stages.over(answer, replace(distill, only=only), given)
    rows, waiting = of_type(given, told.task_type)
    if stages.stop or not waiting:
        return given
    new = [r for r in records(rows) if learnt_by(r)]
    good = await passing(recipe, stages, [r for r in new if form.kept(r)])
    if stages.stop:
        return given
    fit = sorted((r for r in (*before, *good) if form.kept(r)), key=lambda r: r.prompt_id)[: told.rows]
    if len(fit) < FEWEST:
        what = "have the form and pass judge and gates"
        say(f"small    {len(fit)} answers of the teacher {what}, {FEWEST} are needed: the teacher goes on")
        return given
    school = School(told, form, recipe.answer.max_tokens, stages.bench, Lesson.of(fit, told, dataset.folder))
    noted = await school.taught([form.kept(r) for r in new])
    async with school.asking() as link:
        measured = await school.measured(link, "follows", form.closed)
        trusted = measured.get("follows_percent", 0) >= 100 * told.least
        trusted &= measured.get("agrees_percent", 100) >= 100 * told.agrees
        only = Only(task_types=(told.task_type,), share=1.0 if trusted else 0.0)
        given = await stages.over(answer, replace(link, only=only), given)
    done = stages.done[-1]
    noted |= measured | saved(done, recipe, stages, [*new, *before])
    stages.done[-1] = replace(done, noted=noted | done.noted)
    say(sentence(stages.done[-1].noted, trusted))
    return given


async def passing(recipe: Recipe, stages: Stages, rows: Sequence[Record]) -> list[Record]:
    """The rows that would be published as far as the judge and the row gates say: a model that learns the others gives
    more of them. A stage of the run judges all rows again, and finds these verdicts in the store. Where the judge
    cannot go on, neither can the run."""
    aside = Stages(stages.bench)  # no record of the run goes through here
    given: Given = [{"shards": [write(table(rows), stages.bench.work / "small_model" / "answers.parquet").plain()]}]
    for task, step in checks(recipe):
        given = await aside.over(task, step, given)
    if aside.stop:
        stages.done[-1] = replace(stages.done[-1], stopped=dict([aside.stop]) | stages.done[-1].stopped)
    passed = {r.prompt_id for s in inputs(given, None) for r in s.records()}
    return [r for r in rows if r.prompt_id in passed]


def of_type(given: Given, task_type: str) -> tuple[pa.Table, int]:
    """The rows of a task type, and how many prompts of it wait for an answer."""
    rows = pa.concat_tables([SCHEMA.empty_table(), *(s.table() for s in inputs(given, None))])
    rows = rows.filter(pc.field("task_type") == task_type)
    found = kinds(rows)
    return rows.filter(pa.array(found == "rows")), int(np.sum(found == "prompts"))


def drawn(given: Given, told: SmallModelAnswers, there: int) -> float:
    """The share of the task type's prompts that the teacher answers: just as many as there are too few rows, by the
    lowest ids, which are hashes, so that the draw is fair."""
    only, lacking = Only(task_types=(told.task_type,)), max(0, told.rows - there)
    tables = [s.table(["messages", "task_type", "prompt_id"]) for s in inputs(given, None)]
    ids = sorted(
        int(i[2:10], 16) for t in tables for i in t.filter(pa.array(only.mask(t))).column("prompt_id").to_pylist()
    )
    return 1.0 if lacking >= len(ids) else (ids[lacking - 1] + 1) / 2**32 if lacking else 0.0


def saved(done: Tally, recipe: Recipe, stages: Stages, taught: Sequence[Record]) -> dict[str, int]:
    """The money that the small model's answers would have cost by the teacher, in cents, less what they did cost."""
    told = recipe.answer.small_model
    tier = recipe.answer.tier_for.get(told.task_type, "teacher") if told else "teacher"
    price = stages.bench.engines[tier].endpoint.price
    each = [cost(r.prompt_tokens, r.response_tokens, price) for r in taught]
    usd = done.noted.get(ANSWERED, 0) * sum(each) / max(1, len(each)) - done.spent.usd
    return {"cents_saved": round(100 * usd)} if price and usd > 0 else {}


def sentence(noted: dict[str, int], trusted: bool) -> str:
    """What came of it, for whoever reads the run."""
    who = {"teacher_follows": "the teacher", "untrained_follows": "the untrained model", "follows": "the trained one"}
    rates = [f"{said} {noted[f'{what}_percent']} %" for what, said in who.items() if f"{what}_percent" in noted]
    agreed = f"; it agrees with the teacher in {noted['agrees_percent']} %" if "agrees_percent" in noted else ""
    ends = "" if trusted else "; that is too little, and the teacher goes on"
    return f"small    in the form: {', '.join(rates)}{agreed}{ends}"
