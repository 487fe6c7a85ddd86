"""How a small model learns a lesson and is measured on it: training, serving, and the held-out prompts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.lesson import Lesson
from flows.serving import finished, served
from flows.stages import say
from tasks.answer.form import Form, same
from tasks.answer.small_model import CALLED, ROLE, SmallModelAnswers
from tasks.answer.task import answer
from tasks.link import Linked
from tasks.loop import Bench, reusable
from tasks.recipe import RecipeError
from tasks.recipe.small_model import Served
from tasks.recipe.small_model import SmallModelAnswers as Told
from tasks.schema import table
from tasks.shard import write
from tasks.tally import Tally
from tasks.teacher.connect import joining
from tasks.teacher.engine import Engine

FIELD = "answer.small_model"
UNTRAINED = "nothing"


@task(name="train", task_run_name="train {told.at.model}", cache_policy=NO_CACHE)
async def train(told: Told, facts: Mapping[str, str], log: Path) -> None:
    """The recipe's training command, to its end. Not retried: training is dear."""
    await finished(told.train, facts, log, told.timeout, f"{FIELD}.train")


@dataclass(frozen=True, slots=True)
class School:
    """A lesson, and where it is learnt."""

    told: Told
    form: Form
    max_tokens: int
    bench: Bench
    lesson: Lesson

    async def taught(self, kept: Sequence[bool]) -> dict[str, int]:
        """Train the model, where it has not learnt this lesson yet, and the untrained one measured before that; `kept`
        says of the teacher's new answers which have the form. Gives figures. Raises RecipeError."""
        facts = {"taught": len(self.lesson.taught), "held_out": len(self.lesson.held_out)}
        if (known := self.lesson.learnt) is not None:
            say(f"small    {self.told.at.model} has learnt these {facts['taught']} rows already")
            return facts | known
        figures = {"teacher_follows_percent": percent(kept)} if kept else {}
        if self.told.before:
            async with self.asking(self.told.before, f"{FIELD}.before", UNTRAINED) as link:
                figures |= await self.measured(link, "untrained_follows")
        log, began = self.lesson.folder / "train.log", time.monotonic()
        say(f"small    {self.told.train[0]} trains {self.told.at.model} on {facts['taught']} rows, its output in {log}")
        await train(self.told, self.lesson.facts, log)
        self.lesson.end(figures)
        return facts | figures | {"training_seconds": round(time.monotonic() - began)}

    @asynccontextmanager
    async def asking(self, model: Served | None = None, field: str = FIELD, learnt: str = "") -> AsyncIterator[Linked]:
        """The step that asks the model, while it is served; the trained one where none is named."""
        model, learnt = model or self.told, learnt or self.lesson.digest
        log = self.lesson.folder / f"{field.rpartition('.')[2]}.log"
        beside = cast(Engine, self.bench.engines["teacher"])
        async with served(model, self.lesson.facts, log, field), joining(model.at, beside, learnt, say) as engine:
            self.bench.engines[ROLE] = engine
            step = SmallModelAnswers(model.at.model or "", learnt, self.form, self.told.temperature, self.max_tokens)
            try:
                yield Linked(step, CALLED, "answer")
            finally:
                del self.bench.engines[ROLE]

    async def measured(self, link: Linked, what: str, closed: bool = False) -> dict[str, int]:
        """The share of the held-out prompts that it answers in the form, and as the teacher did where the form is
        `closed`; nothing where the budget does not reach so far. Raises RecipeError where it does not answer."""
        prompts = [replace(row, messages=row.ask) for row in self.lesson.held_out]
        shard = write(table(prompts), self.bench.work / "small_model" / "held_out.parquet")
        given = [{"shards": [shard.plain()]}]
        fresh: Any = answer.with_options(refresh_cache=not reusable(link, given, 0, self.bench))
        tally = Tally.of(await fresh("held-out", link, given, 0, self.bench))
        if "budget" in tally.stopped:
            return {}
        if tally.pending:
            said = "; ".join(tally.stopped.values())
            raise RecipeError(
                f"the small model answers {tally.seen - tally.pending} of {tally.seen}: {said}", f"{FIELD}.at"
            )
        found = {r.prompt_id: r.response for s in tally.shards for r in s.records() if r.answered}
        kept = [row for row in self.lesson.held_out if row.prompt_id in found]
        agrees = [same(found[row.prompt_id], row.response) for row in kept] + [False] * (len(prompts) - len(kept))
        follows = percent([row.prompt_id in found for row in self.lesson.held_out])
        return {f"{what}_percent": follows} | ({"agrees_percent": percent(agrees)} if closed else {})


def percent(these: Sequence[bool]) -> int:
    return round(100 * sum(these) / len(these)) if these else 0
