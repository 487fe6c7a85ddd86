"""Several teachers answer one prompt: they vote where results can be compared, or a judge picks.

Multi-model distillation after document 001. Voting follows Wang et al., arXiv:2203.11171 (self-consistency), over
models instead of samples: each teacher gives a bare result beside its answer, and what most of them found is published
in the words of the first who found it. The judge sees the answers in a drawn order and without names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from tasks.answer.distill import Distill, Said
from tasks.answer.final_answer import agree
from tasks.answer.pick import PROMPTS, pick
from tasks.answer.thoughts import compact
from tasks.prompt import load
from tasks.record import Kind, Record
from tasks.setting import KeepReasoning, MaxTokens, Reasks, Temperature
from tasks.step import Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.teacher.taught import taught
from tasks.text import key
from tasks.transcript import asked


class Solved(BaseModel):
    """An answer, and its bare result."""

    reasoning: Said
    answer: Said
    final: Said


@dataclass(frozen=True, slots=True)
class Voice:
    """What one teacher said: the answered record, and its bare result where one was asked for."""

    who: str
    record: Record
    final: str = ""


@dataclass(frozen=True, slots=True)
class MultiTeacher:
    """Every record with the answer that was chosen among those of all teachers, its teacher and licence with it.

    `teachers`: two endpoints at least, by their name in the recipe: teacher or one of tiers; one that stands twice is
    asked twice.
    `choose`: a judge picks, or the teachers vote by their results.
    `keep_others`: the other answers become rejected ones, for preference pairs; after a vote, those of other results.
    `least`: teachers that must have found one result, and fewer any other, else the record is `undecided`.
    `wrapper_for`: pairs of a pattern of a model's name (*qwen3*, whatever the case) and the prompt that it is asked
    directly with.
    """

    teachers: tuple[str, ...] = ("teacher", "teacher", "teacher")
    choose: Literal["vote", "judge"] = "judge"
    keep_others: bool = False
    least: Annotated[int, Field(ge=1)] = 2
    temperature: Temperature = 0.7
    max_tokens: MaxTokens = 4096
    reasks: Reasks = 1
    keep_reasoning: KeepReasoning = False
    wrapper_for: tuple[tuple[str, str], ...] = ()
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    prompts: ClassVar[tuple[str, ...]] = ("answer/direct", "multi_teacher/final", *PROMPTS)
    calls: ClassVar[str] = "one a teacher, and one of the judge, a record"
    shape: ClassVar[Literal["each"]] = "each"

    def __post_init__(self) -> None:
        if len(self.teachers) < 2:
            raise ValueError("teachers: name two at least; distill is for one")

    @property
    def asks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.teachers, *(["judge"] if self.choose == "judge" else []))))

    @property
    def direct(self) -> Distill:
        """How one teacher is asked where a judge picks."""
        return Distill(
            (), self.keep_reasoning, 0, "", self.temperature, self.max_tokens, self.reasks, (), self.wrapper_for
        )

    @property
    def reads(self) -> tuple[str, ...]:
        return self.direct.reads

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        nth = [self.teachers[:i].count(who) for i, who in enumerate(self.teachers)]
        asking = [self.asked(record, teacher, who, n) for who, n in zip(self.teachers, nth, strict=True)]
        ended = await together(asking)
        voices = [v for v in ended if isinstance(v, Voice)]
        outcome = Outcome(noted=tuple(lost(v) for v in ended if not isinstance(v, Voice)))
        if not voices:
            raise next((v for v in ended if isinstance(v, NoAnswer)), NoAnswer("unparsed", "no teacher gave a result"))
        if self.choose == "vote":
            return self.voted(voices, outcome)
        return await self.judged(record, voices, teacher, outcome, dice)

    async def asked(self, record: Record, teacher: Teacher, who: str, sample: int) -> Voice | None:
        """One teacher's answer; None where its result cannot be read."""
        one = teacher.named(who)
        if self.choose == "judge":
            (answered,) = (await self.direct.direct(record, one, Random(0), sample)).out
            return Voice(who, answered)
        sent = load("multi_teacher/final", record.language).fill(conversation=asked(record))
        how = (self.temperature, self.max_tokens, self.reasks, sample)
        said, reply = await one.ask_json(sent, Solved, record.language, *how)
        if said is None:
            return None
        answered = record.answering(said.answer.strip(), said.reasoning if self.keep_reasoning else "")
        made = taught(answered, one, sent, (reply.prompt_tokens, reply.response_tokens))
        return Voice(who, made, said.final.strip())

    def voted(self, voices: Sequence[Voice], outcome: Outcome) -> Outcome:
        """What most teachers found."""
        camps = agreed(voices)
        told = compact({camp[0].final: len(camp) for camp in camps})
        most, *others = sorted(camps, key=len, reverse=True)
        if len(most) < self.least or (others and len(others[0]) == len(most)):
            return outcome.dropping("undecided", told[:200])
        return self.published(most[0], [v for v in voices if v not in most], told, outcome)

    async def judged(
        self, record: Record, voices: Sequence[Voice], teacher: Teacher, outcome: Outcome, dice: Random
    ) -> Outcome:
        """What the judge likes best; answers that say the same stand before it once."""
        apart = list({key(v.record.response): v for v in reversed(voices)}.values())[::-1]
        texts = [v.record.response for v in apart]
        best = await pick(record, texts, teacher.named("judge"), dice, self.reasks) if len(apart) > 1 else 0
        if best is None:
            return outcome.dropping("undecided", "the judge named none of the answers")
        told = compact({"answers": len(apart), "picked": apart[best].who})
        return self.published(apart[best], [v for v in apart if v is not apart[best]], told, outcome)

    def published(self, chosen: Voice, others: Sequence[Voice], told: str, outcome: Outcome) -> Outcome:
        """The record with the answer that was chosen."""
        worse = tuple(v.record.response for v in others) if self.keep_others else ()
        made = replace(chosen.record, rejected_answers=(*chosen.record.rejected_answers, *worse))
        return replace(outcome, out=(made.stamped("multi_teacher", model=made.teacher, detail=told[:2000]),))

    def example(self, asked: Asked) -> Supposed:
        """For a plan: all teachers come to the same result."""
        said = asked.words(asked.length)
        return {"reasoning": said, "answer": said, "final": "1"} if asked.shape == "solved" else None


def lost(voice: NoAnswer | None) -> str:
    """The name of what kept a teacher from having a say."""
    return voice.reason if voice else "unreadable_reply"


def agreed(voices: Sequence[Voice]) -> list[list[Voice]]:
    """The voices by their result, each camp in their order, as the first of it was."""
    camps: list[list[Voice]] = []
    for voice in voices:
        camp = next((c for c in camps if agree(voice.final, c[0].final)), None)
        if camp is None:
            camps.append([voice])
        else:
            camp.append(voice)
    return camps
