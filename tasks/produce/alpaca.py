"""Alpaca: many whole tasks in one call, each with its instruction, input and output, after a few shown ones.

Taori et al., Stanford Alpaca, 2023: Self-Instruct in one step, without the test for classifications. Three seeds are
shown and twenty tasks asked for; the filters are those of Self-Instruct. One departure: the tasks also have to differ
from those of the same reply, which the likeness filter sees to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import NonNegativeInt, PositiveInt

from tasks.produce.growing import Growing, Growth, drawn, joined, tidy, unread
from tasks.produce.listing import Listing
from tasks.produce.screen import Task
from tasks.produce.seeds import read_seeds
from tasks.prompt import Filled, load
from tasks.setting import MaxTokens
from tasks.step import Outcome
from tasks.teacher.ask import together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed

PROMPT = "alpaca/tasks"


@dataclass(frozen=True, slots=True)
class Alpaca(Growing):
    """New prompts, many tasks at once.

    `seeds`: a file of tasks with their input and output, JSON Lines ({language} stands for en or zh).
    `human`: seeds shown in a call.
    """

    per_call: PositiveInt = 20
    seeds: str = "data/seeds/{language}.jsonl"
    human: NonNegativeInt = 3
    max_tokens: MaxTokens = 8192
    prompts: ClassVar[tuple[str, ...]] = (PROMPT,)
    calls: ClassVar[str] = "1 for 20 tasks"

    @property
    def reads(self) -> tuple[str, ...]:
        return self.of_language(self.seeds), self.of_language(self.cannot)

    def first_texts(self) -> Sequence[str]:
        return [seed.prompt for seed in read_seeds(self.of_language(self.seeds))]

    async def round(self, growth: Growth, calls: int, missing: int) -> Outcome:
        outcome, came = Outcome(), list[tuple[Task, Filled]]()
        asked = [(self.filled(growth), growth.next_call()) for _ in range(calls)]
        replies = await together(
            growth.teacher.ask(sent, self.temperature, self.max_tokens, number) for sent, number in asked
        )
        for (sent, _), reply in zip(asked, replies, strict=True):
            tasks, ill = ([], 0) if isinstance(reply, NoAnswer) else self.listing.read(reply.text)
            if not tasks and not ill:
                outcome = unread(outcome, reply if isinstance(reply, NoAnswer) else None)
            for _ in range(ill):
                outcome = outcome.noting("ill_formed_task")
            came += [(tidy(task), sent) for task in tasks]
        return joined(growth, came, outcome)

    def filled(self, growth: Growth) -> Filled:
        seeds = drawn(read_seeds(self.of_language(self.seeds)), self.human, growth.dice)
        shown = self.shown((seed.prompt, seed.input, seed.response) for seed in seeds)
        return load(PROMPT, self.language).fill(count=str(self.per_call), most=str(self.lengths[1]), examples=shown)

    def shown(self, tasks: Iterable[tuple[str, str, str]]) -> str:
        """Tasks as the list has them."""
        said = load(PROMPT, self.language).words
        return "\n###\n".join(
            "\n".join(
                f"{number}. {part}{said['colon']}{text or said['none']}"
                for part, text in zip(self.listing.parts, task, strict=True)
            )
            for number, task in enumerate(tasks, 1)
        )

    def example(self, asked: Asked) -> Supposed:
        """A reply as a plan supposes it."""
        return self.shown((asked.words(20), asked.words(30), asked.words(60)) for _ in range(self.per_call))

    @property
    def listing(self) -> Listing:
        said = load(PROMPT, self.language).words
        return Listing((said["instruction"], said["input"], said["output"]))
