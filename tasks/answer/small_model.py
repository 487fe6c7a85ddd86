"""The small-model trick for answers: a model that learnt a task type from the teacher answers the rest of it.

Document 002: a thousand answers of the teacher for one task type train a small model, which then answers the ten
thousands. The teacher keeps to a form about 70 % of the time, a model of one's own that was trained on what is left
always. It is asked as it was trained, with the conversation and nothing else. What it answers in another form goes on
unanswered, to the teacher.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, Literal

from tasks.answer.distill import conversation
from tasks.answer.form import Form
from tasks.prompt import Filled
from tasks.record import Kind, Record, licences
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.teacher.endings import NoAnswer

CALLED = "small_model_answers"  # its stage, and the stamp of its rows
ROLE = "small_model"
ANSWERED, MISFORMED = "by_small_model", "misformed"  # what it notes


@dataclass(frozen=True, slots=True)
class SmallModelAnswers:
    """Every prompt, as a row where `model` answers it in the form; `learnt` names what it was trained on."""

    model: str
    learnt: str
    form: Form
    temperature: float = 0.0
    max_tokens: int = 4096
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "rows"
    calls: ClassVar[str] = "1 a prompt, of the small model"
    role: ClassVar[str] = ROLE
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        if record.tools or teacher.model != self.model:  # asked in its place: the fallback is asked as a teacher is
            return Outcome.keeping(record)
        sent = Filled(conversation(record), CALLED, "")
        try:
            reply = await teacher.ask(sent, self.temperature, self.max_tokens)
        except NoAnswer:
            return Outcome.keeping(record).noting(MISFORMED)
        answered = record.answering(reply.text.strip())
        if not self.form.kept(answered):
            return Outcome.keeping(record).noting(MISFORMED)
        by = replace(
            answered,
            teacher=self.model,
            licence=licences(record.licence, teacher.licence),
            prompt_tokens=reply.prompt_tokens,
            response_tokens=reply.response_tokens,
        )
        return Outcome.keeping(by.stamped(CALLED, model=self.model, detail=f"learnt from {self.learnt}")).noting(
            ANSWERED
        )


def learnt_by(record: Record) -> bool:
    """Whether the row can be learnt from: the answer is the teacher's, and calls no tools."""
    return record.answered and not record.tools and all(stamp.step != CALLED for stamp in record.lineage)
