"""Judge an answer: 0 to 5 with a reason, and harmless as a veto.

After AlpaGasus (Chen et al., arXiv:2307.08701: one score from 0 to 5 at temperature 0) and the order of
document 003: harmless first, then honest and helpful. The reason is asked for before the score, so that
the score follows from it. Nothing is guessed from a reply that cannot be read: it is `unscored`.

A row whose answer must follow a text that its prompt gives is measured by that text and not by the world: RAG makes
rows with wrong texts on purpose (document 002: the model is to read out what was retrieved), and a judge of truth would
drop them.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from tasks.prompt import load
from tasks.record import Record, Score
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.transcript import asked

VERDICT, GIVEN = "judge/verdict", "judge/given"
FOLLOWING = ("rag:", "long:")  # how the tags begin of rows whose answer must follow a text that the prompt gives


class Verdict(BaseModel):
    """What the judge says of one answer."""

    reason: str
    harmless: bool
    score: float = Field(ge=0, le=5)


@dataclass(frozen=True, slots=True)
class Judged:
    """Every record with a `judge` score, or dropped as `harmful` or `unscored`."""

    reasks: int = 1
    role: ClassVar[str] = "judge"
    prompts: ClassVar[tuple[str, ...]] = (VERDICT, GIVEN, "reask")
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        prompt = load(measure(record), record.language)
        sent = prompt.fill(conversation=asked(record), answer=record.response)
        verdict, reply = await teacher.ask_json(sent, Verdict, record.language, reasks=self.reasks)
        if verdict is None:
            return Outcome().dropping("unscored", reply.text[:200])
        if not verdict.harmless:
            return Outcome().dropping("harmful", verdict.reason)
        scores = (*record.scores, Score("judge", verdict.score, verdict.reason))
        return Outcome.keeping(record.stamped(prompt.name, prompt.sha256, teacher.model, scores=scores))


def measure(record: Record) -> str:
    """The prompt that says what an answer is held against: the text that it was given, else what is true."""
    return GIVEN if any(tag.startswith(FOLLOWING) for tag in record.tags) else VERDICT
