"""Growing a pool of tasks, as Self-Instruct and its kin do: rounds of calls until a target is reached.

The calls of a round go out together and what they bring is looked at in their order, so that the same seed and the
same answers grow the same pool, whatever the timing. A teacher that has nothing new to say ends it: after `patience`
rounds that brought nothing, what is there stands, and the run says how much is missing.

Only what is asked goes on. The answers that a teacher writes along with its tasks serve to screen these; the answer
chain then answers them afresh, as every other prompt (document 002: what we want is prompts).
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from random import Random
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field, PositiveInt

from tasks.produce.rouge import Known
from tasks.produce.screen import Screen, Task, any_of, faults
from tasks.produce.seeds import named, read_lines
from tasks.prompt import Filled
from tasks.record import Kind, Message, Record, Stamp, begun
from tasks.setting import AtOnce, Language, MaxTokens, Patience, Target, Temperature
from tasks.step import Drop, Outcome
from tasks.teacher.ask import Teacher
from tasks.teacher.endings import NoAnswer
from tasks.text import key, units, written

Drawn = TypeVar("Drawn")


@dataclass(frozen=True, slots=True)
class Growing:
    """What all growing techniques can be told.

    `per_call`: tasks that one call asks for.
    `at_once`: calls that go out together, in one round.
    `rouge`: likeness (ROUGE-L F1) to a known instruction beyond which one is not new; 1 keeps all but repetitions.
    `words`, `characters`: the least and the most words of an instruction in English, or characters in Chinese.
    `cannot`: a file of phrases for what a text model cannot do, one a line ({language} stands for en or zh).
    """

    language: Language = "en"
    target: Target = 100
    per_call: PositiveInt = 8
    at_once: AtOnce = 4
    patience: Patience = 3
    rouge: Annotated[float, Field(ge=0, le=1)] = 0.7
    words: tuple[int, int] = (4, 150)
    characters: tuple[int, int] = (6, 250)
    cannot: str = "data/seeds/cannot.{language}.txt"
    temperature: Temperature = 1.0
    max_tokens: MaxTokens = 4096
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "prompts"
    starts: ClassVar[bool] = True
    role: ClassVar[str] = "teacher"
    shape: ClassVar[Literal["grow"]] = "grow"

    def __post_init__(self) -> None:
        """Raises RecipeError before any call where a file cannot be read."""
        read_lines(self.of_language(self.cannot))
        self.first_texts()

    @property
    @abstractmethod
    def reads(self) -> tuple[str, ...]:
        """The data files that the tasks depend on."""

    @abstractmethod
    def first_texts(self) -> Sequence[str]:
        """The instructions that are known before anything is grown."""

    @abstractmethod
    async def round(self, growth: Growth, calls: int, missing: int) -> Outcome:
        """What so many calls bring; more than is missing need not be followed up."""

    def of_language(self, path: str) -> str:
        return named(path, self.language)

    async def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]:
        growth = Growth(self, pool, teacher, dice, self.screen(pool), f"{self.language} {len(pool)}")
        made = idle = 0
        while made < self.target and idle < self.patience:
            missing = self.target - made
            came = await self.round(growth, min(self.at_once, ceil(missing / self.per_call)), missing)
            made += len(came.out)
            idle = 0 if came.out else idle + 1
            yield trimmed(came, missing)

    def screen(self, pool: Sequence[Record]) -> Screen:
        known = Known(self.rouge)
        known.add([*self.first_texts(), *(r.instruction for r in pool if r.language == self.language)])
        cannot = any_of(map(key, read_lines(self.of_language(self.cannot))))
        return Screen(self.language, self.lengths, cannot, known)

    @property
    def lengths(self) -> tuple[int, int]:
        """The least and the most words, or characters of Chinese, of an instruction."""
        return self.characters if self.language == "zh" else self.words


@dataclass(slots=True)
class Growth:
    """One run of a growing technique: what it has to work with, and how many it asked and wrote so far."""

    step: Growing
    pool: list[Record]
    teacher: Teacher
    dice: Random
    screen: Screen
    begun_at: str
    asked: int = 0
    wrote: int = 0

    def next_call(self) -> int:
        """The number of a call: with it, one in the same words as an earlier one gets an answer of its own."""
        self.asked += 1
        return self.asked - 1

    def grown(self, task_type: str = "") -> list[Record]:
        """What of the pool can be shown as an example: single questions in the language, of the type where one is
        named, and no longer than what is grown."""
        _, most = self.screen.lengths
        return [
            r for r in self.pool if self.single(r) and task_type in ("", r.task_type) and units(r.instruction) <= most
        ]

    def single(self, record: Record) -> bool:
        return record.language == self.step.language and len(record.ask) == 1 and not record.tools

    def written(self, task: Task, sent: Sequence[Filled], shown: Sequence[Record] = (), **known: str) -> Record:
        """A task as a new record. It stands on what was `shown` when it was asked for: who takes a log back, takes
        back what it inspired."""
        self.wrote += 1
        parents = tuple(r.prompt_id for r in shown)
        lines = [Stamp(s.name, s.sha256, self.teacher.model, () if i else parents) for i, s in enumerate(sent)]
        return begun(
            sent[0].name,
            (Message("user", task.instruction),),
            self.step.language,
            origin=f"{self.begun_at} {self.wrote}",
            input=task.input,
            lineage=tuple(lines),
            derived_from=tuple(dict.fromkeys(i for r in shown for i in r.logs)),
            **known,
        )


def joined(growth: Growth, came: Sequence[tuple[Task, Filled]], outcome: Outcome) -> Outcome:
    """Whole tasks with the prompts that asked for them: what holds and is new becomes a record."""
    found = [faults([task])[0] for task, _ in came]
    whole = [task.instruction for (task, _), fault in zip(came, found, strict=True) if not fault]
    screened = iter(growth.screen.screened(whole))
    for (task, sent), fault in zip(came, found, strict=True):
        reason, detail = (fault, "") if fault else next(screened)
        record = growth.written(task, (sent,))
        outcome = outcome.eliminating(record, reason, detail) if reason else outcome.making(record)
    return outcome


def drawn(of: Sequence[Drawn], most: int, dice: Random) -> list[Drawn]:
    """So many of them in chance order, or all there are."""
    return dice.sample(of, min(most, len(of)))


NUMBER = re.compile(r"\A(?:\d{1,2}(?:[.)][ \t]+|[、．]\s*)|[-*•][ \t]+)(?=[^\s\d][^\n]*\Z)")  # before a line
NOTHING = frozenset({"noinput", "no input", "none", "n/a", "null", "无", "无输入", "无需输入", "没有"})


def tidy(task: Task) -> Task:
    """The texts without what no reader sees; an input that says that there is none is none, and the number that an
    instruction bears in a list is no part of it."""
    instruction, given, output = (written(t).strip() for t in (task.instruction, task.input, task.output))
    return Task(NUMBER.sub("", instruction), "" if key(given).strip("<>[](){}.-。") in NOTHING else given, output)


def unread(outcome: Outcome, reply: NoAnswer | None) -> Outcome:
    """A call that brought nothing: no answer, or one that nobody could read."""
    return outcome.noting(reply.reason if reply else "unreadable_reply")


def trimmed(outcome: Outcome, most: int) -> Outcome:
    """No more than were wanted; the rest is surplus."""
    extra = [Drop("surplus", record=r) for r in outcome.out[most:]]
    return replace(outcome, out=outcome.out[:most], dropped=(*outcome.dropped, *extra))
