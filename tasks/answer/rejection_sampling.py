"""Rejection sampling (RFT): draw many solutions of a question, keep the right ones that go different ways.

Yuan et al., arXiv:2308.01825: k solutions at temperature 0.7 from one or several models; right are those whose final
answer is that of the reference and whose calculations hold; of those with the same equations in the same order one
stays, on a clash the one further (in edits) from the others that are kept; what several models find is joined.
One departure: k is 8, not 100, since at a teacher's price a hundred calls for one question are dear; the paper's gain
grows with the number of different ways, so more models at 8 each pay before more calls do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from rapidfuzz.distance import Levenshtein

from tasks.answer.distill import conversation
from tasks.answer.equations import equations, false, way
from tasks.answer.final_answer import Final
from tasks.prompt import Filled, load
from tasks.record import Kind, Message, Record, licences
from tasks.setting import MaxTokens, Temperature
from tasks.step import Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.teacher.outcomes import Reply

SOLVE = "rejection_sampling/solve"


@dataclass(frozen=True, slots=True)
class Solution:
    """What one model wrote, and the final answer in it."""

    by: Teacher
    reply: Reply
    final: Final | None

    @property
    def text(self) -> str:
        return self.reply.text.strip()


@dataclass(frozen=True, slots=True)
class RejectionSampling:
    """The record with its first right way, and a further record for each other one.

    The vote is off unless asked for, since most models together may be wrong the same way, and a reference never is.

    `k`: solutions drawn from each teacher.
    `teachers`: endpoints by their name in the recipe: teacher, judge or one of tiers.
    `without_reference`: what becomes of a record without a reference: it is left unanswered for the next technique, or
    the final answer that most solutions agree on stands in.
    `agreement`: share of all solutions drawn that a vote needs.
    """

    k: Annotated[int, Field(ge=1)] = 8
    teachers: tuple[str, ...] = ("teacher",)
    without_reference: Literal["leave", "vote"] = "leave"
    agreement: Annotated[float, Field(ge=0, le=1)] = 0.5
    temperature: Temperature = 0.7
    max_tokens: MaxTokens = 1024
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    calls: ClassVar[str] = "k x teachers a record"
    prompts: ClassVar[tuple[str, ...]] = (SOLVE,)
    idle: ClassVar[dict[str, str]] = {
        "without_reference": "none of them has a reference; take prompts that have one, or set without_reference: vote"
    }
    shape: ClassVar[Literal["each"]] = "each"

    @property
    def asks(self) -> tuple[str, ...]:
        """The endpoints besides its own."""
        return tuple(who for who in self.teachers if who != self.role)

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        if not record.reference and self.without_reference == "leave":
            return Outcome.keeping(record).noting("without_reference")
        sent = asked(record)
        drawn, lost = await self.drawn(sent, teacher)
        wanted = Final.of(record.reference) if record.reference else self.voted(drawn)
        if wanted is None:
            what = "unreadable_reference" if record.reference else "undecided"
            return noted(Outcome().dropping(what, record.reference[:200]), lost)
        right = [s for s in drawn if s.final and s.final.right(wanted)]
        sound = [s for s in right if not false(equations(s.text))]
        lost += ["wrong_calculation"] * (len(right) - len(sound))
        if not sound:
            return noted(Outcome().dropping("never_right", f"{len(right)} of {len(drawn)}"), lost)
        ways = apart(sound)
        lost += ["same_way"] * (len(sound) - len(ways))
        detail = json.dumps({"drawn": len(drawn), "right": len(right), "ways": len(ways)})
        wrong = [s for s in drawn if s.final and not s.final.right(wanted)] if record.reference else []
        return noted(rows(record, ways, rejected(wrong), sent, detail), lost)

    async def drawn(self, sent: Filled, teacher: Teacher) -> tuple[list[Solution], list[str]]:
        """All solutions in the order of teachers and samples, and why others ended without one.

        Raises NoAnswer where none of the questions got an answer."""
        by = [teacher if who == self.role else teacher.named(who) for who in self.teachers]
        asking = [(one, i) for one in by for i in range(self.k)]
        replies = await together(one.ask(sent, self.temperature, self.max_tokens, i) for one, i in asking)
        found, lost = list[Solution](), list[NoAnswer]()
        for (one, _), reply in zip(asking, replies, strict=True):
            if isinstance(reply, NoAnswer):
                lost.append(reply)
            else:
                found.append(Solution(one, reply, Final.of(reply.text)))
        if lost and not found:
            raise lost[0]
        return found, [none.reason for none in lost]

    def voted(self, drawn: Sequence[Solution]) -> Final | None:
        """The final answer that most agree on, the earliest of several; None where too few do."""
        finals = [s.final for s in drawn if s.final]
        votes = [sum(other.right(one) for other in finals) for one in finals]
        most = max(votes, default=0)
        return finals[votes.index(most)] if most and most >= self.agreement * len(drawn) else None

    def example(self, asked: Asked) -> Supposed:
        """For a plan: all solutions are right, and go one of two ways."""
        one = asked.chance.randint(1, 2)
        return f"{asked.words(asked.length)}\n{one} + 1 = {one + 1}\n#### {asked.reference or 1}"


def asked(record: Record) -> Filled:
    """The question with its guidance, in the record's language."""
    turns = conversation(record)
    system = tuple(m for m in turns if m.role == "system")
    rest = tuple(m for m in turns if m.role != "system")
    return load(SOLVE, record.language).fill({"system": system, "conversation": rest})


def apart(solutions: Sequence[Solution]) -> list[Solution]:
    """One solution for each way, in the order in which the ways were found. Of two that go one way stays the one that
    is further from those that go another."""
    kept: dict[tuple[str, ...], Solution] = {}
    for one in solutions:
        path = way(one.text)
        others = [s.text for other, s in kept.items() if other != path]
        if path not in kept or distance(one.text, others) > distance(kept[path].text, others):
            kept[path] = one
    return list(kept.values())


def distance(text: str, others: Sequence[str]) -> int:
    """Edits to all others, added up."""
    return sum(Levenshtein.distance(text, other) for other in others)


def rejected(wrong: Sequence[Solution]) -> tuple[str, ...]:
    """The first solution for each wrong answer: they differ from a right one in more than their words."""
    found: list[Solution] = []
    for one in wrong:
        if one.final and not any(s.final and s.final.right(one.final) for s in found):
            found.append(one)
    return tuple(s.text for s in found)


def rows(record: Record, ways: Sequence[Solution], wrong: tuple[str, ...], sent: Filled, detail: str) -> Outcome:
    """The record answered by the first way, and a record of its own for each further one."""
    first, *further = ways
    answered = replace(record.answering(first.text), rejected_answers=wrong)
    stamped = answered.stamped(sent.name, sent.sha256, first.by.model, detail=detail)
    outcome = Outcome.keeping(credited(stamped, first))
    for one in further:
        turns = (*record.ask, Message("assistant", one.text, trained=True))
        known = {"input": record.input, "reference": record.reference}
        made = record.derived(sent.name, turns, sent.sha256, one.by.model, detail, **known)
        outcome = outcome.making(credited(made, one))
    return outcome


def credited(record: Record, one: Solution) -> Record:
    """The record with who wrote it and what that took."""
    spent = {"prompt_tokens": one.reply.prompt_tokens, "response_tokens": one.reply.response_tokens}
    return replace(record, teacher=one.by.model, licence=licences(record.licence, one.by.licence), **spent)


def noted(outcome: Outcome, what: Sequence[str]) -> Outcome:
    return replace(outcome, noted=(*outcome.noted, *what))
