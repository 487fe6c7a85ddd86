"""Labels of all records: by the teacher, or by the teacher for some and a small model for what it can tell."""

from __future__ import annotations

from dataclasses import replace

from flows.stages import Given, Stages
from tasks.history.dataset import Dataset
from tasks.label.small_model import SmallModel
from tasks.label.task import label, learn
from tasks.label.task_type import TaskType
from tasks.link import Linked, Only
from tasks.loop import inputs
from tasks.recipe import Recipe
from tasks.taxonomy import Taxonomy

FRESH = 10  # at least one in so many of the teacher's labels is of this run, however many there were before


def by_teacher(recipe: Recipe) -> TaskType:
    told = recipe.label
    return TaskType(Taxonomy.read(told.taxonomy), told.temperature, told.reasks)


async def labelled(recipe: Recipe, dataset: Dataset, stages: Stages, given: Given) -> Given:
    """Each record with its task type and domain; what has both passes at no cost."""
    given = await by_small_model(recipe, dataset, stages, given)
    return given if stages.stop else await stages.over(label, by_teacher(recipe), given)


async def by_small_model(recipe: Recipe, dataset: Dataset, stages: Stages, given: Given) -> Given:
    """The records, where the recipe has a small model some of them labelled by the teacher and others by the model
    that learns from those. What has no label yet is left to the teacher."""
    teacher, share = by_teacher(recipe), drawn(recipe, dataset, given)
    if recipe.label.small_model is None or share >= 1:
        return given
    given = await stages.over(label, Linked(teacher, "task_type", "label", Only(share=share)), given)
    if stages.stop:
        return given
    spent = stages.done[-1].spent
    step = SmallModel(teacher.taxonomy, recipe.label.small_model.confidence, earlier(dataset))
    given = await stages.fold(learn, "small_model", step, given)
    done = stages.done[-1]
    if spent.calls and spent.usd and (saved := done.noted.get("labelled", 0)):
        cents = round(100 * saved * spent.usd / spent.calls)
        stages.done[-1] = replace(done, noted=done.noted | {"cents_saved": cents})
    return given


def drawn(recipe: Recipe, dataset: Dataset, given: Given) -> float:
    """The share of the records without a label that the teacher is asked first."""
    if recipe.label.small_model is None:
        return 1.0
    tables = [shard.table(["task_type", "domain"]).to_pylist() for shard in inputs(given, None)]
    unknown = sum(not (row["task_type"] and row["domain"]) for rows in tables for row in rows)
    wanted = recipe.label.small_model.teacher_labels
    there = len(SmallModel(by_teacher(recipe).taxonomy, earlier=earlier(dataset)).learnt())
    return max(wanted - there, wanted // FRESH) / max(1, unknown)


def earlier(dataset: Dataset) -> tuple[str, ...]:
    """The files of the version in force."""
    folder = dataset.versions / dataset.base / "data" / "chat" if dataset.base else None
    return tuple(str(file) for file in sorted(folder.glob("*.parquet"))) if folder else ()
