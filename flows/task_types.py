"""Task types that a recipe names: one that the taxonomy does not have would narrow to nothing, and nobody be told."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import fields

from tasks.link import Linked
from tasks.recipe import Recipe, RecipeError
from tasks.recipe.answering import Answer
from tasks.taxonomy import Taxonomy

SETTINGS = ("task_types", "chain_of_thought_for")  # of techniques; their defaults are for our taxonomy


def known(recipe: Recipe, links: Sequence[Linked]) -> None:
    """Raises RecipeError for a task type that the recipe's taxonomy does not have."""
    types = Taxonomy.read(recipe.label.taxonomy).first_level
    for where, task in (*of_answers(recipe), *(pair for link in links for pair in of_link(link))):
        if task not in types:
            near = difflib.get_close_matches(task, types, 1)
            hint = f"did you mean {near[0]}" if near else f"the task types are {', '.join(types)}"
            raise RecipeError(f"{recipe.label.taxonomy} has no task type {task}", where, hint)


def of_answers(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Where the recipe's `answer` names a task type, and which."""
    told = recipe.answer
    yield from ((f"answer.tier_for.{task}", task) for task in told.tier_for)
    if told.chain_of_thought_for != Answer().chain_of_thought_for:
        yield from (("answer.chain_of_thought_for", task) for task in told.chain_of_thought_for)
    if told.small_model:
        yield "answer.small_model.task_type", told.small_model.task_type


def of_link(link: Linked) -> Iterator[tuple[str, str]]:
    """Where an entry of a chain names one, in its `only` or among the settings of its technique."""
    yield from ((f"{link.place}.only.task_types", task) for task in link.only.task_types)
    for setting in fields(link.step) if link.place else ():  # pyright: ignore[reportArgumentType]
        told = getattr(link.step, setting.name)
        if setting.name in SETTINGS and told != setting.default:
            yield from ((f"{link.place}.{link.called}.{setting.name}", task) for task in told)
