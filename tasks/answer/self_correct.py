"""Answer a complex instruction as its constraints want: draft, let code check, correct what is unmet (document 002).

It is hard to find, token after token, a text that meets all of many limits; so there is a draft first, and then the
teacher is told which limits it broke. Drafts that broke some become `rejected`: preference data. Where no round meets
them all, the prompt is edited to the best answer (see `draw_target`), or the record is dropped, as `unmet` says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tasks.answer.distill import conversation, taught
from tasks.answer.draw_target import retargeted, target_of
from tasks.constraint.register import NoConstraint, unmet
from tasks.constraint.target import Target
from tasks.constraint.wording import FILE, listed
from tasks.prompt import load
from tasks.record import Kind, Message, Record
from tasks.setting import MaxTokens, Temperature
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.teacher.endings import NoAnswer


@dataclass(frozen=True, slots=True)
class SelfCorrect:
    """Every prompt with constraints as a row that keeps them; one without is kept as it is.

    Reasons: `constraints_unmet`, `unreadable_constraints`; `used` for a prompt whose edited form takes its place.

    `rounds`: corrections after the draft.
    `unmet`: what becomes of an answer that still breaks a constraint: the prompt is edited to what it does, or it is
    rejected.
    """

    rounds: Annotated[int, Field(ge=0)] = 2
    unmet: Literal["edit_prompt", "reject"] = "edit_prompt"
    temperature: Temperature = 0.7
    max_tokens: MaxTokens = 4096
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "rows"
    calls: ClassVar[str] = "1 to 1 + rounds a record with constraints"
    role: ClassVar[str] = "teacher"
    prompts: ClassVar[tuple[str, ...]] = ("self_correct/draft", "self_correct/correct")
    reads: ClassVar[tuple[str, ...]] = (FILE,)
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        if not record.constraints:
            return Outcome.keeping(record)
        try:
            target = target_of(record)
        except NoConstraint as fault:
            return Outcome().dropping("unreadable_constraints", str(fault))
        tried = [await self.asked(record, teacher, target)]
        for _ in range(self.rounds):
            if not target.unmet(tried[-1].response):
                break
            try:
                tried.append(await self.asked(record, teacher, target, tried[-1]))
            except NoAnswer:  # what there is by now is still worth something
                break
        best = min(reversed(tried), key=lambda t: len(target.unmet(t.response)))
        return self.ended(preferred(best, tried, target), target)

    async def asked(self, record: Record, teacher: Teacher, target: Target, draft: Record | None = None) -> Record:
        """A draft, or a correction of one."""
        turns = conversation(record)
        slots = {
            "system": tuple(m for m in turns if m.role == "system"),
            "conversation": tuple(m for m in turns if m.role != "system"),
        }
        if draft is None:
            sent = load("self_correct/draft", record.language).fill(slots)
        else:
            said = {"draft": (Message("assistant", draft.response),)}
            wrong = broken(target, draft.response, record.language)
            sent = load("self_correct/correct", record.language).fill(slots | said, unmet=wrong)
        reply = await teacher.ask(sent, self.temperature, self.max_tokens)
        answered = (draft or record).answering(reply.text.strip())
        return taught(answered, teacher, sent, (reply.prompt_tokens, reply.response_tokens))

    def ended(self, best: Record, target: Target) -> Outcome:
        """What becomes of the best answer."""
        missed = target.unmet(best.response)
        if not missed:
            return Outcome.keeping(best)
        if self.unmet == "reject":
            return Outcome().dropping("constraints_unmet", ", ".join(missed))
        return retargeted(best, target, missed)


def preferred(best: Record, tried: list[Record], target: Target) -> Record:
    """The best answer, with the others that break something as what it is preferred to."""
    worse = dict.fromkeys(t.response for t in tried if t.response != best.response and target.unmet(t.response))
    return replace(best, rejected_answers=tuple(text for text in worse if text))


def broken(target: Target, text: str, language: str) -> str:
    """What a draft breaks, as a list in words; lengths that the prompt states in its own words among them."""
    return listed([*unmet(target.constraints, text), *target.lengths_unmet(text)], language)
