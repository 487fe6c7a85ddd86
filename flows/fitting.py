"""Whether a recipe can be run at all, as far as it says so itself: its chains, rules, names and files."""

from __future__ import annotations

from flows.producing import chain, fits, reachable, readable, starts
from flows.task_types import known
from tasks.answer.distill import read_pool
from tasks.answer.form import Form
from tasks.gate.student import Reader
from tasks.gate.suite import read as read_suite
from tasks.mine.benchmark import standing
from tasks.mine.worth import chosen
from tasks.recipe import Recipe, RecipeError


def fitting(recipe: Recipe) -> int:
    """The number of links of its chains. Raises RecipeError for the first thing that is wrong."""
    producing, answering = chain(recipe)
    links = [*producing, *answering]
    if not recipe.sources and not starts(producing):
        hint = "name a file with --source, or under sources: in the recipe; or let a technique of produce: start"
        raise RecipeError("no logs to read", "sources", hint)
    fits(producing, answering, bool(recipe.sources))
    reachable(links, recipe)
    readable(links)
    known(recipe, links)
    chosen(recipe.mine)
    standing(recipe.mine.benchmarks)
    read_suite(recipe.gates.suite)
    if recipe.answer.few_shot:
        read_pool(recipe.answer.pool)
    if recipe.student:
        Reader.of(recipe.student).load()
    if small := recipe.answer.small_model:
        Form.of(small.form)
    return len(links)
