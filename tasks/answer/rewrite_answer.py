"""Rewrite an answer: given what was asked and answered, write it better, longer, deeper, or without what is too much.

After document 001 (evolve the answer as prompts are evolved). A rewrite takes the place of the answer; one that says
the same, misses what it was asked for, is cut off or is held worse is eliminated, and the former answer stays. Where a
judge compares the two, they lie before it in a drawn order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, Literal

from tasks.answer.pick import PROMPTS, pick
from tasks.chatter import without_chatter
from tasks.prompt import load
from tasks.record import Kind, Record
from tasks.setting import MaxTokens, Reasks, Temperature
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.teacher.endings import NoAnswer
from tasks.teacher.taught import taught
from tasks.text import key, units
from tasks.transcript import asked

MODES = ("better", "longer", "complex", "trimmed")
CUT = "truncated"


@dataclass(frozen=True, slots=True)
class RewriteAnswer:
    """Each row with a rewritten answer, or as it came where the rewrite does not hold.

    Answers that call tools are never rewritten.

    `mode`: what the answer becomes: better, longer, more complex, or trimmed of what is too much.
    `judged`: a judge must prefer the new answer; in the mode `better` the former one then becomes a rejected one.
    `human`: also rewrite answers that no teacher wrote; a model's words in their place are mostly a loss.
    """

    mode: Literal["better", "longer", "complex", "trimmed"] = "better"
    judged: bool = True
    human: bool = False
    temperature: Temperature = 0.7
    max_tokens: MaxTokens = 4096
    reasks: Reasks = 1
    takes: ClassVar[Kind] = "rows"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    prompts: ClassVar[tuple[str, ...]] = (*(f"rewrite_answer/{mode}" for mode in MODES), *PROMPTS)
    calls: ClassVar[str] = "1 a row, 2 where judged"
    shape: ClassVar[Literal["each"]] = "each"

    @property
    def asks(self) -> tuple[str, ...]:
        return ("judge",) if self.judged else ()

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        outcome = Outcome.keeping(record)
        if record.messages[-1].tool_calls or not (record.teacher or self.human):
            return outcome.noting("left_alone")
        try:
            rewritten = await self.rewritten(record, teacher)
        except NoAnswer as none:
            if none.reason == CUT:
                return outcome.eliminating(candidate(record, self.mode, none.detail), "cut")
            return outcome.noting(none.reason)
        reason = eliminated(record.response, rewritten.response, self.mode)
        if not reason and self.judged:
            reason = await self.compared(record, rewritten, teacher, dice)
        if reason:
            return outcome.eliminating(candidate(record, self.mode, rewritten.response), reason)
        if self.mode == "better" and self.judged:
            rewritten = replace(rewritten, rejected_answers=(*record.rejected_answers, record.response))
        return Outcome.keeping(rewritten)

    async def rewritten(self, record: Record, teacher: Teacher) -> Record:
        prompt = load(f"rewrite_answer/{self.mode}", record.language)
        sent = prompt.fill(conversation=asked(record), answer=record.response)
        reply = await teacher.ask(sent, self.temperature, self.max_tokens)
        text = without_chatter(reply.text, record.language)
        made = record.answering(text)  # reasoning that led to the former answer goes with it
        return replace(taught(made, teacher, sent, (reply.prompt_tokens, reply.response_tokens)), scores=())

    async def compared(self, record: Record, rewritten: Record, teacher: Teacher, dice: Random) -> str:
        """Why the judge does not want the new answer; empty where it prefers it."""
        try:
            texts = [record.response, rewritten.response]
            best = await pick(record, texts, teacher.named("judge"), dice, self.reasks)
        except NoAnswer as none:
            return none.reason
        return {0: "worsened", 1: "", None: "unjudged"}[best]


def eliminated(before: str, after: str, mode: str) -> str:
    """What is wrong with a rewrite that code can see; empty where nothing is."""
    if not after or key(after) == key(before):
        return "unchanged"
    if mode == "trimmed" and units(after) >= units(before):
        return "not_shortened"
    return "not_lengthened" if mode == "longer" and units(after) <= units(before) else ""


def candidate(record: Record, mode: str, text: str) -> Record:
    """A rewrite that did not survive, as a record of its own: the row that it was made of lives on."""
    name = f"rewrite_answer/{mode}"
    prompt = load(name, record.language)
    return record.derived(name, record.answering(text).messages, prompt.sha256, teacher=record.teacher)
