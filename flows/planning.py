"""What a run would spend: its asking steps at work on its own prompts, against engines that send nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from heapq import nsmallest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from flows.sparing import sparing
from tasks.answer.small_model import ANSWERED
from tasks.history.dataset import Dataset
from tasks.link import AnyStep, Linked
from tasks.loop import Bench, run
from tasks.recipe import Caps, Endpoint, Recipe
from tasks.schema import SCHEMA
from tasks.shard import Shard, write
from tasks.step import room
from tasks.teacher.connect import planners
from tasks.teacher.count import Count
from tasks.teacher.known import known
from tasks.teacher.planner import Planner
from tasks.teacher.tokens import tokens

DRAWN = 500  # prompts that a plan is made of; where there are more, their figures are scaled
PARTS = ("calls", "hits", "tokens_in", "tokens_out")


async def planned(
    recipe: Recipe, dataset: Dataset, steps: Iterable[AnyStep], shards: Sequence[Shard], making: Sequence[AnyStep] = ()
) -> dict[str, Any]:
    """The plan for these prompts, JSON-ready, by stage and in all; `making` are the techniques that add to them.
    Leaves nothing behind."""
    rows = pa.concat_tables([SCHEMA.empty_table(), *(s.table() for s in shards)])
    drawn = draw(rows)
    scale = rows.num_rows / drawn.num_rows if drawn.num_rows else 1.0  # without logs, techniques start by themselves
    with known(dataset.calls) as calls, TemporaryDirectory(dir=dataset.work) as work:
        engines = planners(recipe, calls, spoken(drawn))
        bench = Bench(Path(work), recipe.seed, max(1, drawn.num_rows), {**engines})
        asked_by = [*making, *sparing(recipe, dataset, [*steps], scale)]
        spent, noted = await asking(asked_by, write(drawn, Path(work) / "drawn.parquet"), bench, engines.values())
    stages = {stage: scaled(count, scale) for stage, count in spent.items()}
    asked, whole = {planner.where: planner for planner in engines.values()}.values(), sum(stages.values(), Count())
    return {
        "prompts": rows.num_rows,
        **{f"{stage}_calls": count.calls for stage, count in stages.items()},
        **figures(whole),
        "stages": {stage: figures(count) for stage, count in stages.items()},
        "minutes": round(max(minutes(p.endpoint, scaled(p.purse.spent, scale)) for p in asked), 1),
        "drawn": drawn.num_rows,
        "guessed": round(scale * sum(p.guessed for p in asked)),
        "unpriced": sorted(filter(None, map(unpriced, asked))),
        "over": over(recipe, whole, stages),
        "spared": round(scale * noted[ANSWERED]),
    }


async def asking(
    steps: Sequence[AnyStep], shard: Shard, bench: Bench, planning: Collection[Planner]
) -> tuple[dict[str, Count], Counter[str]]:
    """What each stage comes to that asks, one on the rows of the other, and what the steps noted."""
    given, spent, noted = (shard,), dict[str, Count](), Counter[str]()
    for planner in planning:
        planner.awaited = frozenset(kind for step in steps for kind in awaited(step))
    for step in steps:
        if getattr(step, "role", None) or getattr(step, "gives", None):
            for planner in planning:
                planner.example, planner.references = getattr(step, "example", None), references(given)
            tally = await run(step, given, bench)
            given, spent[room(step)] = tally.shards, spent.get(room(step), Count()) + tally.spent
            noted.update(tally.noted)
    return spent, noted


def references(given: Iterable[Shard]) -> dict[str, str]:
    """The right answers of the records that have one."""
    known = [row for shard in given for row in shard.table(["prompt_id", "reference"]).to_pylist()]
    return {row["prompt_id"]: row["reference"] for row in known if row["reference"]}


def awaited(step: AnyStep) -> tuple[str, ...]:
    """The task types that a step takes alone; none where it takes them all."""
    only = step.only.task_types if isinstance(step, Linked) else ()
    return (*only, *getattr(step, "task_types", ()))


def draw(rows: pa.Table) -> pa.Table:
    """All rows, or those with the lowest ids: these are hashes, so that is a fair draw."""
    if rows.num_rows <= DRAWN:
        return rows
    ids = rows.column("prompt_id").to_pylist()
    return rows.take(nsmallest(DRAWN, range(len(ids)), key=ids.__getitem__))


def spoken(rows: pa.Table) -> int:
    """The mean tokens of the answers that the log holds; 0 where it holds none."""
    said = [tokens(text) for text in rows.column("student_response").to_pylist() if text]
    return round(sum(said) / len(said)) if said else 0


def scaled(count: Count, scale: float) -> Count:
    """The figures of all rows, from those of the drawn ones."""
    calls, hits, tokens_in, tokens_out = (round(getattr(count, part) * scale) for part in PARTS)
    return Count(calls, hits, tokens_in, tokens_out, count.usd * scale)


def figures(count: Count) -> dict[str, Any]:
    return {part: getattr(count, part) for part in PARTS} | {"usd": round(count.usd, 6)}


def minutes(endpoint: Endpoint, count: Count) -> float:
    """How long the endpoint's rate limits make it take at least; 0 without any."""
    rates = (
        (count.calls, endpoint.rpm),
        (count.tokens, endpoint.tpm),
        (count.tokens_in, endpoint.input_tpm),
        (count.tokens_out, endpoint.output_tpm),
    )
    return max(much / rate if rate else 0.0 for much, rate in rates)


def unpriced(planner: Planner) -> str:
    """The field of the recipe to set before the planned calls have a price; empty where they have one."""
    endpoint = planner.endpoint
    if endpoint.price or endpoint.recorded or not planner.purse.spent.calls:
        return ""
    return f"{planner.where}.{'price' if endpoint.model else 'model'}"


def over(recipe: Recipe, everything: Count, stages: dict[str, Count]) -> list[str]:
    """A sentence for each cap of the budget that the plan goes beyond."""
    budget = recipe.budget
    caps: list[tuple[str, Caps, Count]] = [("budget", budget, everything)]
    caps += [(f"budget.stages.{stage}", part, stages.get(stage, Count())) for stage, part in budget.stages.items()]
    return [
        f"{name}.{what} of {cap:g} will not do: this may come to {needs:g}"
        for name, part, count in caps
        for what in ("calls", "tokens", "usd")
        if (cap := getattr(part, what)) is not None and (needs := getattr(count, what)) > cap
    ]
