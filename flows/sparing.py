"""What a plan leaves out because a small model will answer it."""

from __future__ import annotations

from collections.abc import Sequence

from flows.lesson import earlier
from flows.producing import catches_all
from tasks.answer.small_model import CALLED
from tasks.answer.spared import Spared
from tasks.history.dataset import Dataset
from tasks.link import AnyStep, Linked
from tasks.recipe import Recipe


def sparing(recipe: Recipe, dataset: Dataset, steps: Sequence[AnyStep], scale: float) -> list[AnyStep]:
    """The steps that ask, and before the teacher's answers the prompts that the small model will answer, as if it were
    good enough. `scale` is how many prompts stand for one of those that the plan is made of."""
    told = recipe.answer.small_model
    if told is None:
        return [*steps]
    before = earlier(dataset, told.task_type)
    taught = round(max(0, told.rows - len(before)) / scale)
    step = Spared(told.task_type, taught, tuple(r.response for r in before))
    spared = Linked(step, CALLED, "answer")
    return [s for step in steps for s in ([spared, step] if isinstance(step, Linked) and catches_all(step) else [step])]
