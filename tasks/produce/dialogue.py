"""Non-dialogue data as dialogue: knowledge triples, tables and texts become questions with answers, and conversations.

Document 003 (turn data that is no dialogue into dialogue; structured knowledge and plain texts alike). The passages
of `documents` are read once for single questions with their answers, and once for a conversation in which each question
follows from what was said. What refers to the source, or says what does not stand in it, is dropped as in Self-QA.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from tasks.alone import refers
from tasks.produce.grounded import ungrounded
from tasks.prompt import Filled, load
from tasks.recipe import RecipeError
from tasks.record import Kind, Message, Record, licences
from tasks.setting import MaxTokens, Reasks, Temperature
from tasks.step import USED, Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.text import key

FEWEST_TURNS = 2


class Turn(BaseModel):
    """A question and its answer."""

    question: str
    answer: str

    @property
    def blank(self) -> bool:
        return not (self.question.strip() and self.answer.strip())


class Pairs(BaseModel):
    """Questions that stand alone."""

    pairs: list[Turn]


class Conversation(BaseModel):
    """Questions that follow from each other."""

    turns: list[Turn]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Rows of one turn and a conversation from each passage; the passage ends as used.

    Every answer of a conversation is the teacher's, so each carries loss.

    `pairs`: the most single questions of a passage; 0: none.
    `turns`: the most turns of its conversation, 2 or more; 0: none.
    `grounded`: drop what has names or numbers that neither the passage nor a question has.
    """

    pairs: Annotated[int, Field(ge=0)] = 3
    turns: Annotated[int, Field(ge=0)] = 4
    grounded: bool = True
    temperature: Temperature = 0.7
    max_tokens: MaxTokens = 4096
    reasks: Reasks = 1
    takes: ClassVar[Kind] = "passages"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    calls: ClassVar[str] = "2 a passage"
    prompts: ClassVar[tuple[str, ...]] = ("dialogue/pairs", "dialogue/conversation", "reask")
    shape: ClassVar[Literal["each"]] = "each"

    def __post_init__(self) -> None:
        """Raises RecipeError where no conversation could be long enough."""
        if 0 < self.turns < FEWEST_TURNS:
            hint = f"at least {FEWEST_TURNS}, or 0 for none; single questions are `pairs`"
            raise RecipeError(f"turns: {self.turns} is no conversation", "produce.dialogue.turns", hint)

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        wanted = [("dialogue/pairs", Pairs, self.pairs), ("dialogue/conversation", Conversation, self.turns)]
        asked = [(name, shape, count) for name, shape, count in wanted if count]
        replies = await together(self.ask(record, teacher, *one) for one in asked)
        failed = [reply for reply in replies if isinstance(reply, NoAnswer)]
        if len(failed) == len(replies):
            return Outcome().dropping(failed[0].reason if failed else USED, failed[0].detail if failed else "")
        outcome = Outcome().dropping(USED)
        for none in failed:
            outcome = outcome.noting(none.reason)
        for sent, read in (reply for reply in replies if not isinstance(reply, NoAnswer)):
            outcome = self.read(outcome, record, sent, read, teacher)
        return outcome

    async def ask(
        self, record: Record, teacher: Teacher, name: str, shape: type[Pairs] | type[Conversation], count: int
    ) -> tuple[Filled, Pairs | Conversation | None]:
        sent = load(name, record.language).fill(passage=record.passage, count=str(count))
        read, _ = await teacher.ask_json(sent, shape, record.language, self.temperature, self.max_tokens, self.reasks)
        return sent, read

    def read(
        self, outcome: Outcome, source: Record, sent: Filled, read: Pairs | Conversation | None, teacher: Teacher
    ) -> Outcome:
        """What becomes a row each: every pair that asks something else, or all turns of a conversation."""
        if read is None:
            return outcome.noting("unreadable_reply")
        if isinstance(read, Conversation):
            return self.made(outcome, source, read.turns[: self.turns], sent, teacher)
        asked = set[str]()
        for pair in read.pairs[: self.pairs]:
            if key(pair.question) in asked:
                outcome = outcome.noting("repeated_question")
            else:
                outcome = self.made(outcome, source, [pair], sent, teacher)
            asked.add(key(pair.question))
        return outcome

    def made(self, outcome: Outcome, source: Record, turns: Sequence[Turn], sent: Filled, teacher: Teacher) -> Outcome:
        """A row of these turns, or a candidate that did not survive."""
        said = [m for t in turns for m in (Message("user", t.question.strip()), answer(t.answer.strip()))]
        row = source.derived(sent.name, said, sent.sha256, teacher.model)
        row = replace(row, teacher=teacher.model, licence=licences(source.licence, teacher.licence))
        reason, detail = self.fault(source, turns, several=sent.name == "dialogue/conversation")
        return outcome.eliminating(row, reason, detail) if reason else outcome.making(row)

    def fault(self, source: Record, turns: Sequence[Turn], several: bool) -> tuple[str, str]:
        """What is wrong with these turns, as reason and detail; two empty strings where nothing is."""
        if any(turn.blank for turn in turns):
            return "empty", ""
        if several and len(turns) < FEWEST_TURNS:
            return "too_short", f"{len(turns)} turns, expected {FEWEST_TURNS}"
        if several and len({key(turn.question) for turn in turns}) < len(turns):
            return "repeated", "a question is asked twice"
        texts = [text for turn in turns for text in (turn.question, turn.answer)]
        if words := next((found for text in texts if (found := refers(text, source.language))), ""):
            return "not_self_contained", words
        known = "\n".join([source.passage, *(turn.question for turn in turns)])
        answers = "\n".join(turn.answer for turn in turns)
        added = ungrounded(answers, known, source.language) if self.grounded else ""
        return ("ungrounded", added) if added else ("", "")

    def example(self, asked: Asked) -> Supposed:
        """For a plan: some of the turns that are asked for."""
        return asked.reply(asked.up_to(self.turns if asked.shape == "conversation" else self.pairs))


def answer(text: str) -> Message:
    return Message("assistant", text, trained=True)
