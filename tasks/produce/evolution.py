"""The loop that all evolving techniques share: rewrite a prompt, eliminate what failed, go on from what survived.

After Xu et al., WizardLM, arXiv:2304.12244. What failed is left behind, and the next round rewrites the last survivor
in another way. Every survivor goes on, beside the prompt that came in; its lineage names its ancestors. Where several
models are named, each rewrites the same prompt, and the judge picks which survivor of the round goes on (document 001);
they are shown in drawn order, so that their place decides nothing. One departure: operators are drawn from (seed, step,
record id), so that a rerun, or another shard size, rewrites each prompt the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Literal

from pydantic import NonNegativeInt

from tasks.fences import unwrapped
from tasks.produce.best import BEST, chosen
from tasks.produce.elimination import ANSWER, GAIN, Check, compared, leaked
from tasks.prompt import Prompt, load
from tasks.record import Kind, Record
from tasks.setting import MaxTokens, Reasks, Temperature
from tasks.step import Drop, Outcome, name
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.text import written
from tasks.transcript import asked


@dataclass(frozen=True, slots=True)
class Line:
    """A line of descent: its rounds, and the operators to draw from; one named twice is drawn twice as often."""

    rounds: int
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evolution:
    """Every prompt, and beside it each generation of it that survives.

    A technique is a subclass that says its `lines`, each of which begins with the prompt that came in, and what
    `operations` it has: prompt files in the folder of its name; what those make that lead `elsewhere` is another task,
    and labelled anew.

    `models`: endpoints (teacher, judge, a tier) that each rewrite the prompt, and the judge picks the best; empty: the
    teacher alone.
    `answer_check`: have each new prompt answered, and drop those that cannot be; a call more for each.
    `answer_temperature`: how freely those answers are drawn; 0: the likeliest words.
    `short_words`, `short_characters`: an answer of fewer words (characters of Chinese) that holds an apology is none.
    `operators`: the ways of rewriting to draw from; one named twice is drawn twice as often.
    """

    models: tuple[str, ...] = ()
    temperature: Temperature = 1.0
    max_tokens: MaxTokens = 2048
    answer_check: bool = True
    answer_temperature: Temperature = 0.7
    short_words: NonNegativeInt = 80
    short_characters: NonNegativeInt = 130
    reasks: Reasks = 1
    operations: ClassVar[tuple[str, ...]] = ()
    elsewhere: ClassVar[tuple[str, ...]] = ()
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "prompts"
    role: ClassVar[str] = "teacher"
    shape: ClassVar[Literal["each"]] = "each"

    def __post_init__(self) -> None:
        """Raises ValueError for an operator that there is not."""
        for operator in (o for line in self.lines for o in line.operators or ("(none)",)):
            if operator not in self.operations:
                raise ValueError(f"there is no operator {operator}; there are {', '.join(self.operations)}")

    @property
    def lines(self) -> tuple[Line, ...]:
        raise NotImplementedError

    @property
    def prompts(self) -> tuple[str, ...]:
        """Every prompt file that may be sent."""
        drawn = {f"{name(self)}/{operator}" for line in self.lines for operator in line.operators}
        return (*sorted(drawn), GAIN, *[ANSWER] * self.answer_check, *[BEST] * (len(self.models) > 1), "reask")

    @property
    def asks(self) -> tuple[str, ...]:
        """The endpoints that it asks besides the teacher."""
        return tuple(dict.fromkeys(("judge", *self.models)))

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        outcome = Outcome.keeping(record)
        for line in self.lines:
            last, failed = record, set[str]()
            for number in range(line.rounds):
                operator = dice.choice([o for o in line.operators if o not in failed] or line.operators)
                prompt = load(f"{name(self)}/{operator}", record.language)
                outcome, candidates = fresh(outcome, await self.rewritten(last, prompt, number, teacher))
                outcome, survivors = await self.sieved(outcome, last, candidates, prompt, teacher)
                outcome, best = await self.picked(outcome, survivors, teacher, dice)
                last, failed = (best, set()) if best else (last, failed | {operator})
        return outcome

    async def rewritten(self, parent: Record, prompt: Prompt, number: int, teacher: Teacher) -> list[Record | NoAnswer]:
        """What each model makes of the prompt. Each try is a sample of its own: after a failure, and where one endpoint
        is named twice, the reply is another."""
        sent = prompt.fill(conversation=asked(parent))
        labels = {"subtype": "", "domain": ""} if sent.name.rpartition("/")[2] in self.elsewhere else {}

        async def by(model: Teacher, place: int) -> Record:
            sample = number * max(1, len(self.models)) + place
            reply = await model.ask(sent, self.temperature, self.max_tokens, sample=sample)
            turns = parent.asking(unwrapped(written(reply.text).strip()))
            return parent.derived(sent.name, turns, prompt=sent.sha256, model=model.model, **labels)

        models = [teacher.named(who) for who in self.models] or [teacher]
        return await together(by(model, place) for place, model in enumerate(models))

    async def sieved(
        self, outcome: Outcome, parent: Record, candidates: Sequence[Record], prompt: Prompt, teacher: Teacher
    ) -> tuple[Outcome, list[Record]]:
        """The candidates without those that fail by themselves."""
        survivors: list[Record] = []
        faults = await together(self.fault(parent, c, prompt, teacher) for c in candidates)
        for candidate, fault in zip(candidates, faults, strict=True):
            drop = Drop("unjudged", fault.reason) if isinstance(fault, NoAnswer) else fault
            if drop:
                outcome = outcome.eliminating(candidate, drop.reason, drop.detail)
            else:
                survivors.append(candidate)
        return outcome, survivors

    async def fault(self, parent: Record, candidate: Record, prompt: Prompt, teacher: Teacher) -> Drop | None:
        """Why a candidate does not survive: what costs nothing is looked at first. Raises NoAnswer of the judge."""
        if word := leaked(parent.instruction, candidate.instruction, prompt.words["leaks"].splitlines()):
            return Drop("leaked", word)
        if drop := await compared(parent, candidate, teacher.named("judge"), self.reasks):
            return drop
        check = Check(self.answer_temperature, self.short_words, self.short_characters)
        return await check(candidate, teacher) if self.answer_check else None

    async def picked(
        self, outcome: Outcome, survivors: Sequence[Record], teacher: Teacher, dice: Random
    ) -> tuple[Outcome, Record | None]:
        """The one that the next round starts from: of several, the judge's choice."""
        best, why = (survivors[0], Drop("")) if len(survivors) == 1 else (None, Drop(""))
        if len(survivors) > 1:
            best, why = await chosen(dice.sample(survivors, len(survivors)), teacher.named("judge"), self.reasks)
        for candidate in survivors:
            if candidate is not best:
                outcome = outcome.eliminating(candidate, why.reason, why.detail)
        return (outcome.making(best) if best else outcome), best


def fresh(outcome: Outcome, replies: Sequence[Record | NoAnswer]) -> tuple[Outcome, list[Record]]:
    """The candidates among the replies; one that is no answer, or was given before, is only noted."""
    known = {r.roots for r in (*outcome.out, *(d.record for d in outcome.dropped if d.record))}
    candidates: list[Record] = []
    for one in replies:
        if isinstance(one, NoAnswer):
            outcome = outcome.noting(f"{one.reason}_reply")
        elif one.roots in known:
            outcome = outcome.noting("repeated_reply")
        else:
            candidates.append(one)
            known.add(one.roots)
    return outcome, candidates
