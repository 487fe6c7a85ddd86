"""The chains of a recipe: techniques that make more prompts, and techniques that answer them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from flows.labelling import by_teacher, labelled
from flows.stages import Given, Stages
from tasks.answer.distill import Distill
from tasks.answer.distill import fits as wrapper_fits
from tasks.answer.shelf import ANSWER
from tasks.answer.small_model import CALLED
from tasks.clean.written import Written
from tasks.dedup.made import NewlyMade
from tasks.dedup.prompts import OnePrompt
from tasks.dedup.task import dedup
from tasks.history.dataset import Dataset
from tasks.link import AnyStep, Linked, Only
from tasks.makers import placed, stamps, sure
from tasks.mine.decontaminate import Decontaminate
from tasks.mine.worth import chosen
from tasks.produce.reached import Reached
from tasks.produce.shelf import PRODUCE
from tasks.produce.task import grow, produce
from tasks.prompt import PromptError
from tasks.recipe import Recipe, RecipeError, located
from tasks.record import MADE, Kind
from tasks.scrub.placeholders import Scrub
from tasks.step import Step, name
from tasks.teacher.endpoints import roles
from tasks.technique import chained, gives, takes

DISTILL = "distill"


def chain(recipe: Recipe) -> tuple[list[Linked], list[Linked]]:
    """The links that make prompts, and those that answer. What no link answers is distilled, after the last one that
    answers prompts. Raises RecipeError."""
    links = [
        distill(recipe) if entry == DISTILL else ANSWER.link(entry, i) for i, entry in enumerate(recipe.answer.chain)
    ]
    if not any(catches_all(link) for link in links):
        last = max((i for i, link in enumerate(links) if link.only.kind == "prompts"), default=-1)
        links.insert(last + 1, distill(recipe))
    producing = placed(PRODUCE.links(recipe.produce))
    return producing, placed(links, producing, [CALLED] if recipe.answer.small_model else [])


def catches_all(link: Linked) -> bool:
    return link.called == DISTILL and link.only == Only()


def distill(recipe: Recipe) -> Linked:
    """Direct answers, or after reasoning, as the recipe's `answer` says."""
    a = recipe.answer
    for pattern, prompt in a.wrapper_for.items():
        wearable(prompt, f"answer.wrapper_for.{pattern}")
    step = Distill(
        tuple(a.chain_of_thought_for),
        a.keep_reasoning,
        a.few_shot,
        a.pool,
        a.temperature,
        a.max_tokens,
        a.reasks,
        tuple(sorted(a.tier_for.items())),
        tuple(a.wrapper_for.items()),
    )
    return Linked(step, DISTILL, "answer")


def wearable(prompt: str, where: str) -> None:
    """Raises RecipeError where a prompt cannot be a wrapper."""
    try:
        wrapper_fits(prompt)
    except PromptError as fault:
        hint = "name one of prompts/wrapper, or a path of your own without .zh.toml"
        raise RecipeError(str(fault), where, hint) from None


def starts(links: Sequence[Linked]) -> bool:
    """Whether the chain begins with nothing given."""
    return bool(links) and (takes(links[0]) is None or bool(getattr(links[0].step, "starts", False)))


def fits(producing: Sequence[Linked], answering: Sequence[Linked], logs: bool) -> None:
    """Raises RecipeError where a link can take nothing of what is there by then."""
    there: set[Kind] = chained(producing, {"prompts"} if logs else set(), PRODUCE.field)
    idle = "prompts" not in there and "rows" in there  # all is answered already: distill has nothing to do
    chained([link for link in answering if not (idle and catches_all(link))], there, ANSWER.field)


def reachable(links: Sequence[Linked], recipe: Recipe) -> None:
    """Raises RecipeError where a link asks an endpoint that the recipe does not have."""
    there = roles(recipe)
    for link in links:
        for who in getattr(link, "asks", ()):
            if who not in there:
                what, hint = f"{link.called} asks {who}, and there is no such endpoint", f"there are {', '.join(there)}"
                raise RecipeError(what, f"tiers.{who}", hint)


def readable(links: Sequence[Linked]) -> None:
    """Raises RecipeError where a file is not there that a link reads: a corpus, a pool of examples, seeds, tools."""
    for link in links:
        for file in getattr(link, "reads", ()):
            if not located(file).exists():
                hint = "name one that is there, by a path from here, from the project or from /"
                raise RecipeError(f"{link.called} reads {file}, and there is no such file", link.stage, hint)


def making(recipe: Recipe, given: Given) -> list[AnyStep]:
    """For a plan: the steps that make more prompts, with the labels by which a link may choose before them."""
    links, _ = chain(recipe)
    return [by_teacher(recipe), *links] if links and some(given) else [*links]


def some(given: Given) -> bool:
    return any(s["rows"] for g in given for s in g["shards"])


async def produced(recipe: Recipe, dataset: Dataset, stages: Stages, given: Given, waiting: Given) -> Given:
    """The prompts given and those that the recipe's techniques make of them, each of them one that was never asked.

    `waiting` was made by an earlier run that could not answer it: it is not made of again.
    """
    links, _ = chain(recipe)
    if links and some(given):
        given = await labelled(recipe, dataset, stages, given)
    for number, link in enumerate(links):
        if stages.stop:
            return given
        if number and takes(link) == "prompts":  # in other words, or misspelled, a benchmark question is found no more
            given = await uncontaminated(recipe, stages, given)
        given = await stages.link(produce, grow, link, given)
        for screen in taken_in(recipe, link) if getattr(link.step, "brings", False) else ():
            given = await stages.over(produce, screen, given)
    if not links and not waiting:
        return given
    if any(takes(link) == "passages" for link in links):
        given = await stages.over(produce, Reached(), given)
    given = [*await stages.over(produce, NewlyMade(dataset.ledgers), given), *waiting]
    given = await uncontaminated(recipe, stages, given)
    return await stages.fold(dedup, "made", OnePrompt(recipe.dedup.threshold, dataset.past), given)


async def uncontaminated(recipe: Recipe, stages: Stages, given: Given) -> Given:
    """What holds no benchmark question, where the recipe names benchmarks."""
    files = tuple(recipe.mine.benchmarks)
    return await stages.over(produce, Decontaminate(files), given) if files else given


def taken_in(recipe: Recipe, link: Linked) -> list[Linked]:
    """What texts that others wrote go through before a teacher sees them: as log rows do."""
    c = recipe.clean
    steps: list[Step] = [Written(c.html, tuple(c.boilerplate), tuple(c.normalise)), Scrub()]
    if gives(link) == "prompts":
        steps.append(chosen(recipe.mine))
    after = stamps(link) if sure(link) else ()  # whatever may be a stranger's is cleaned, who else made it or not
    return [Linked(step, name(step), "produce", Only(gives(link), after=after)) for step in steps]


def by_made(rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Rows that users asked, and rows that techniques made."""
    made = np.array([roots[0].startswith(MADE) for roots in rows.column("roots").to_pylist()], dtype=bool)
    return rows.filter(pa.array(~made)), rows.filter(pa.array(made))
