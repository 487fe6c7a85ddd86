"""Whom a step asks about a record: its tier by task type, and the fallback where that endpoint is out.

A record is asked whole: when an endpoint is out in the middle of it, the other one starts it anew. So no
row has two teachers, and its teacher, licence and lineage name the one that answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tasks.record import Record
from tasks.step import Outcome, room
from tasks.teacher.ask import Answerer, Teacher
from tasks.teacher.count import Count
from tasks.teacher.endings import TeacherUnusable, Unanswered

FALLBACK = "fallback"  # the key of its engine, beside those of the roles and tiers


@dataclass(frozen=True, slots=True)
class Tiers:
    """The teachers of one step at one shard; they share a count."""

    first: Teacher
    by_type: Mapping[str, Teacher]
    fallback: Teacher | None = None

    @property
    def count(self) -> Count:
        return self.first.count

    async def ask(self, record: Record, prompt_id: str, step: Callable[[Teacher], Awaitable[Outcome]]) -> Outcome:
        """What the step makes of the record with the teacher for it, or else with the fallback. The record's prompt id
        stands beside it in its table: to hash it again for each question would cost as much as to look an answer up.

        Raises what the step raises; where both endpoints are out, TeacherUnusable only if neither can be used.
        """
        teacher = self.by_type.get(record.task_type, self.first).about(prompt_id)
        instead = self.fallback.about(prompt_id) if self.fallback else None
        try:
            return await step(teacher)
        except (TeacherUnusable, Unanswered) as out:
            if instead is None or instead.engine is teacher.engine:
                raise
            outcome = await self.instead(instead, step, out)
        for counted in (self.count, instead.engine.purse.spent):
            counted.fallbacks += 1
        return outcome

    async def instead(self, teacher: Teacher, step: Callable[[Teacher], Awaitable[Outcome]], out: Exception) -> Outcome:
        """What the step makes of the record with the fallback, now that the first is out."""
        try:
            return await step(teacher)
        except (TeacherUnusable, Unanswered) as too:
            said = f"{out}; and the fallback: {too}"
            both = isinstance(out, TeacherUnusable) and isinstance(too, TeacherUnusable)
            raise (TeacherUnusable(said) if both else Unanswered(said)) from None


def tiers(step: object, engines: Mapping[str, Answerer]) -> Tiers | None:
    """The teachers of a step by its `role` and its `tier_for` (task type, tier), every other endpoint within their
    reach; None for a step that asks nobody."""
    role = getattr(step, "role", None)
    if not role:
        return None
    count, stage, instead = Count(), room(step), engines.get(FALLBACK)
    known = {"count": count, "stage": stage, "others": engines}
    by_type = {task: Teacher(engines[tier], **known) for task, tier in getattr(step, "tier_for", ())}
    fallback = Teacher(instead, **known) if instead else None
    return Tiers(Teacher(engines[role], **known), by_type, fallback)


def identities(step: object, engines: Mapping[str, Answerer]) -> list[tuple[str, str | None, str, str]]:
    """Every endpoint that the step may ask, and what of it an answer depends on."""
    found = [(t.engine.identity, t.engine.endpoint) for t in teachers(step, engines)]
    return [(who, end.model, end.structured, end.licence) for who, end in found]


def models(step: object, engines: Mapping[str, Answerer]) -> list[str]:
    """The models that the step may ask, the first one first."""
    return list(dict.fromkeys(t.model or t.engine.named for t in teachers(step, engines)))


def teachers(step: object, engines: Mapping[str, Answerer]) -> list[Teacher]:
    asked = tiers(step, engines)
    named = [asked.first.named(who) for who in getattr(step, "asks", ())] if asked else []
    found = [asked.first, *asked.by_type.values(), asked.fallback, *named] if asked else []
    return [t for t in found if t]
