"""Round-trip translation: a prompt into the other language and back, which gives it other words.

Document 003 names it among the augmentations. Two calls, by one endpoint or by two (`there_by`, `back_by`: names of
the recipe's endpoints), because two models seldom choose the same words. What comes back is held against the prompt
as every rewording is: language, numbers, quoted text, code, and a judge who compares the tasks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tasks.produce.rewording import (
    JUDGE,
    OTHER,
    SAME_TASK,
    Reworded,
    earlier,
    renewed,
    rewordable,
    spoken,
    supposed,
    unread,
)
from tasks.prompt import load
from tasks.record import Kind, Record
from tasks.setting import MaxTokens, Temperature
from tasks.step import Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.invented import Asked, Supposed

THERE, BACK = "round_trip/there", "round_trip/back"


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Each prompt and, beside it, what it reads like after a way through the other language.

    `there_by`, `back_by`: the endpoint (teacher, judge, a tier) that translates into the other language, and the one
    that translates back.
    `least_new`: share of neighbouring word pairs (characters of Chinese) that must be new; a way there and back
    changes less than a change of voice does.
    """

    there_by: str = "teacher"
    back_by: str = "teacher"
    least_new: Annotated[float, Field(ge=0, le=1)] = 0.15
    temperature: Temperature = 0.7
    max_tokens: MaxTokens = 2048
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "prompts"
    role: ClassVar[str] = "teacher"
    calls: ClassVar[str] = "3 a prompt"
    prompts: ClassVar[tuple[str, ...]] = (THERE, BACK, SAME_TASK, "reask")
    shape: ClassVar[Literal["each"]] = "each"

    @property
    def asks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.there_by, self.back_by, JUDGE)))

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        if not rewordable(record) or record.language not in OTHER:
            return Outcome.keeping(record).noting("not_rewordable")
        there, back = teacher.named(self.there_by), teacher.named(self.back_by)
        (foreign,) = await together([self.said(THERE, record, record.instruction, there)])
        if not isinstance(foreign, Reworded):
            return replace(Outcome.keeping(record), noted=unread([foreign]))
        if spoken(foreign.text) != OTHER[record.language]:
            return Outcome.keeping(record).noting("not_translated")
        (home,) = await together([self.said(BACK, record, foreign.text, back)])
        if not isinstance(home, Reworded):
            return replace(Outcome.keeping(record), noted=unread([home]))
        made = self.made(record, foreign.text, home.text.strip(), there.model, back.model)
        return await renewed(record, [made], teacher.named(JUDGE), self.least_new)

    async def said(self, name: str, record: Record, text: str, teacher: Teacher) -> Reworded | None:
        sent = load(name, record.language).fill(earlier=earlier(record), request=text)
        read, _ = await teacher.ask_json(sent, Reworded, record.language, self.temperature, self.max_tokens)
        return read

    def made(self, record: Record, foreign: str, home: str, there: str, back: str) -> Record:
        """The prompt that came back; its lineage tells both ways and what stood between them."""
        out, again = (load(name, record.language).sha256 for name in (THERE, BACK))
        derived = record.derived(THERE, record.asking(home), out, there, foreign, input=record.input)
        return derived.stamped(BACK, again, back, (record.prompt_id,))

    def example(self, asked: Asked) -> Supposed:
        """For a plan: the request in the other language, and what came of that in its own again."""
        own, other = asked.language, OTHER[asked.language]
        return supposed(asked, own if spoken(asked.given.get("request", "")) == other else other)
