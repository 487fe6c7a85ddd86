"""For children: beside each question, the same question as a ten-year-old would ask it."""

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Literal

from tasks.prompt import load
from tasks.record import Kind, Record
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.text import units

ASK = "for_children/ask"  # prompts/for_children/ask.en.toml and ask.zh.toml, from where the command runs


@dataclass(frozen=True, slots=True)
class ForChildren:
    """Its fields are its settings; `longest` counts words, or characters of Chinese."""

    temperature: float = 0.8
    longest: int = 60
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "prompts"
    shape: ClassVar[Literal["each"]] = "each"
    role: ClassVar[str] = "teacher"
    prompts: ClassVar[tuple[str, ...]] = (ASK,)

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        sent = load(ASK, record.language).fill(question=record.instruction)
        reply = await teacher.ask(sent, self.temperature, max_tokens=200)
        made = record.derived(ASK, record.asking(reply.text.strip()), sent.sha256, teacher.model)
        if units(made.instruction) > self.longest:
            return Outcome.keeping(record).eliminating(made, "too_long_for_a_child")
        return Outcome.keeping(record).making(made)
