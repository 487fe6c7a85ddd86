"""Try a technique on a few records and keep all that was said: the playground before a run (document 002).

Nothing is published and nothing of a dataset is touched: answers are kept in a store of their own for as long as the
trial lasts, so that every question is really asked.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from tasks.link import Linked
from tasks.loop import STOPS, tried
from tasks.prompt import variant
from tasks.recipe import Endpoint, Recipe
from tasks.record import Record
from tasks.step import Each, Outcome, dice
from tasks.teacher.ask import Answerer, Teacher
from tasks.teacher.budget import Purse
from tasks.teacher.connect import engines
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer, TeacherUnusable, Unanswered
from tasks.teacher.outcomes import Reply
from tasks.teacher.tiers import tiers

AT_MOST = 5  # what a technique that grows is let make, where nobody says


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question as it was sent, and what came back: a reply, or the reason why none."""

    model: str
    messages: list[dict[str, Any]]
    reply: Reply | None
    ended: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One record (None for a technique that starts with nothing), what came of it, and what was said on the way; why it
    was `stopped`, and what `by` (as in `STOPS`)."""

    record: Record | None
    outcome: Outcome
    exchanges: tuple[Exchange, ...]
    stopped: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of asking: other prompts, another model, or both."""

    name: str
    prompts: Path | None = None
    model: str = ""


@dataclass(slots=True)
class Tried:
    """All trials of a variant, and what they came to; `unpriced` says that some of it cost what nobody knows."""

    variant: Variant
    trials: list[Trial]
    spent: Count
    unpriced: bool = False

    @property
    def out(self) -> list[Record]:
        return [r for t in self.trials for r in t.outcome.out]

    @property
    def dropped(self) -> Counter[str]:
        return Counter(d.reason for t in self.trials for d in t.outcome.dropped)


@dataclass
class Overheard:
    """An engine, and all that was said to it, by the record that was asked for."""

    engine: Answerer
    said: dict[str, list[Exchange]] = field(default_factory=lambda: defaultdict(list))

    def __getattr__(self, what: str) -> Any:
        return getattr(self.engine, what)

    async def call(self, body: dict[str, Any], sample: int, count: Count, stage: str = "", record: str = "") -> Reply:
        began = time.monotonic()
        model = self.engine.endpoint.model or self.engine.named
        try:
            reply = await self.engine.call(body, sample, count, stage, record)
        except (NoAnswer, TeacherUnusable, Unanswered) as ended:
            seconds = time.monotonic() - began
            self.said[record].append(Exchange(model, body["messages"], None, str(ended), seconds))
            raise
        self.said[record].append(Exchange(model, body["messages"], reply, seconds=time.monotonic() - began))
        return reply


async def trial(recipe: Recipe, link: Linked, given: Sequence[Record], way: Variant, most: int = AT_MOST) -> Tried:
    """The technique on these records, in this way. Raises RecipeError where it cannot be asked."""
    told = of_model(recipe, way.model) if way.model else recipe
    purse = Purse(told.budget)
    with variant(way.prompts), TemporaryDirectory() as folder:
        async with engines(told, Path(folder) / "calls.sqlite", purse) as real:
            heard = {id(e): Overheard(e) for e in real.values()}
            at_work: dict[str, Any] = {role: heard[id(e)] for role, e in real.items()}
            if link.shape == "grow":
                trials = [await grown(link, given, at_work, told.seed, most)]
            else:
                trials = await asyncio.gather(*(one(link, record, at_work, told.seed) for record in given))
    return Tried(way, [*trials], purse.spent, bool(purse.unpriced))


async def one(link: Linked, record: Record, at_work: dict[str, Any], seed: int) -> Trial:
    outcome, stopped = await tried(cast(Each, link), record, record.prompt_id, tiers(link, at_work), seed)
    heard = said(at_work, record.prompt_id)
    return Trial(record, outcome or Outcome(), heard, " ".join(stopped.values()), " ".join(stopped))


async def grown(link: Linked, given: Sequence[Record], at_work: dict[str, Any], seed: int, most: int) -> Trial:
    """A technique that grows, until it has made a few."""
    pool, whole, stopped, by = [*given], Outcome(), "", ""
    asked = tiers(link, at_work)
    teacher: Teacher | None = asked.first if asked else None
    try:
        async for outcome in link(pool, teacher, dice(seed, link.called, "try")):
            pool += outcome.out
            noted, dropped = (*whole.noted, *outcome.noted), (*whole.dropped, *outcome.dropped)
            whole = Outcome((*whole.out, *outcome.out), dropped, whole.made + outcome.made, noted)
            if len(whole.out) >= most:
                break
    except tuple(STOPS) as stop:
        stopped, by = str(stop), STOPS[type(stop)]
    except NoAnswer as none:
        stopped = str(none)
    return Trial(None, whole, said(at_work, ""), stopped, by)


def said(at_work: dict[str, Any], record: str) -> tuple[Exchange, ...]:
    """What was asked for a record, at every endpoint."""
    each = {id(o): o for o in at_work.values()}.values()
    return tuple(e for o in each for e in o.said.get(record, ()))


def of_model(recipe: Recipe, model: str) -> Recipe:
    """The recipe with another model as its teacher; its price is looked up anew."""
    teacher: Endpoint = recipe.teacher.model_copy(update={"model": model, "price": None, "recorded": None})
    return recipe.model_copy(update={"teacher": teacher})
