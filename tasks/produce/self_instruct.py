"""Self-Instruct: grow new tasks from a few that people wrote, and let what was grown help to grow the next.

Wang et al., arXiv:2212.10560; with `language: zh` and Chinese seeds it is BELLE's way of doing the same in Chinese.
Each call shows `human` seeds and `generated` tasks of the pool and asks for new instructions. What passes the screen
is tested for being a classification, and gets its instances: the class label first and then a text that deserves it
for a classification (input first, nearly all texts would be of one class), the input first for all others. With
`by_task_type` each call shows one type's tasks alone, so that each type grows from its own (document 002).

Departures. The teacher is a chat model, so it is asked in words and answers in JSON instead of going on with a list.
Chinese is measured in characters: 6 to 250 stand for the paper's 4 to 150 words. What a text model cannot do is a
list of phrases, not of words: `draw` and `plot` have other uses. "Write a program" is no reason to drop: a chat model
does not mistake the program for its output. The label of a classification is kept as the record's `reference`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from pydantic import BaseModel, NonNegativeInt, PositiveInt

from tasks.produce.growing import Growing, Growth, drawn, tidy, unread
from tasks.produce.screen import Task, faults
from tasks.produce.seeds import Seed, read_seeds
from tasks.prompt import Filled, load
from tasks.record import Record
from tasks.setting import Temperature
from tasks.step import Outcome
from tasks.taxonomy import Taxonomy
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer


class Instructions(BaseModel):
    instructions: list[str]


class Tested(BaseModel):
    classification: bool


class Labelling(BaseModel):
    label: str
    input: str


class OutputFirst(BaseModel):
    instances: list[Labelling]


class Solved(BaseModel):
    input: str
    output: str


class InputFirst(BaseModel):
    instances: list[Solved]


@dataclass(frozen=True, slots=True)
class Asked:
    """One call for instructions: what is sent, which records of the pool it shows, and the call's number."""

    sent: Filled
    shown: tuple[Record, ...]
    task_type: str
    number: int


@dataclass(frozen=True, slots=True)
class Found:
    """The instances of an instruction and the prompt that asked for them; `fault` says why there are none."""

    tasks: tuple[Task, ...] = ()
    sent: Filled | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class SelfInstruct(Growing):
    """New prompts that grew from seeds and from each other.

    `seeds`: a file of tasks with their input and output, JSON Lines ({language} stands for en or zh).
    `by_task_type`: show and ask for one task type in each call, so that each type grows from its own.
    `taxonomy`: a file with what a task type is called in each language; one that is not in it goes by its bare name.
    `human`: seeds shown in a call.
    `generated`: tasks of the pool, made by then, shown in a call.
    `instances`: the most inputs that are made for one instruction, each a prompt of its own.
    """

    seeds: str = "data/seeds/{language}.jsonl"
    by_task_type: bool = False
    taxonomy: str = "data/taxonomy.yaml"
    human: NonNegativeInt = 6
    generated: NonNegativeInt = 2
    instances: PositiveInt = 2
    temperature: Temperature = 0.7
    prompts: ClassVar[tuple[str, ...]] = (
        "self_instruct/instructions",
        "self_instruct/of_type",
        "self_instruct/classification",
        "self_instruct/output_first",
        "self_instruct/input_first",
        "reask",
    )
    calls: ClassVar[str] = "1 for 8 instructions, 2 for each that is new"

    @property
    def reads(self) -> tuple[str, ...]:
        kinds = (self.taxonomy,) if self.by_task_type else ()
        return self.of_language(self.seeds), self.of_language(self.cannot), *kinds

    def first_texts(self) -> Sequence[str]:
        if self.by_task_type:
            Taxonomy.read(self.taxonomy)
        return [seed.prompt for seed in read_seeds(self.of_language(self.seeds))]

    async def round(self, growth: Growth, calls: int, missing: int) -> Outcome:
        outcome, came = Outcome(), list[tuple[str, Asked]]()
        asked = [self.asked(growth) for _ in range(calls)]
        for a, reply in zip(asked, await together(self.instructions(growth, a) for a in asked), strict=True):
            if isinstance(reply, Instructions):
                came += [(tidy(Task(text)).instruction, a) for text in reply.instructions]
            else:
                outcome = unread(outcome, reply)
        return await self.followed(growth, came, missing, outcome)

    def asked(self, growth: Growth) -> Asked:
        """A call with examples drawn anew; of one type where each grows from its own, the types in turn."""
        seeds, kind, number = read_seeds(self.of_language(self.seeds)), "", growth.next_call()
        if self.by_task_type:
            kinds = list(dict.fromkeys(seed.task_type for seed in seeds))
            kind = kinds[number % len(kinds)]
            seeds = tuple(seed for seed in seeds if seed.task_type == kind)
        shown = drawn(growth.grown(kind), self.generated, growth.dice)
        people = drawn(seeds, self.human + self.generated - len(shown), growth.dice)
        texts = [*(seed.prompt for seed in people), *(record.instruction for record in shown)]
        growth.dice.shuffle(texts)
        return Asked(self.filled(texts, kind), tuple(shown), kind, number)

    def filled(self, texts: Iterable[str], kind: str) -> Filled:
        least, most = map(str, self.lengths)
        slots = {"examples": numbered(texts), "count": str(self.per_call), "least": least, "most": most}
        if kind in NO_KIND:
            return load("self_instruct/instructions", self.language).fill(None, **slots)
        called = Taxonomy.read(self.taxonomy).means(kind, self.language)
        return load("self_instruct/of_type", self.language).fill(None, **slots, kind=called)

    async def instructions(self, growth: Growth, asked: Asked) -> Instructions | None:
        how = (self.language, self.temperature, self.max_tokens)
        return (await growth.teacher.ask_json(asked.sent, Instructions, *how, sample=asked.number))[0]

    async def followed(
        self, growth: Growth, came: Sequence[tuple[str, Asked]], missing: int, outcome: Outcome
    ) -> Outcome:
        """The instructions that are new with their instances, no more of them than are missing."""
        new = list[tuple[str, Asked]]()
        for (text, asked), (reason, detail) in zip(came, growth.screen.screened([t for t, _ in came]), strict=True):
            if not reason and len(new) < missing:
                new.append((text, asked))
            else:
                record = growth.written(Task(text), (asked.sent,), asked.shown, task_type=asked.task_type)
                outcome = outcome.eliminating(record, reason or "surplus", detail)
        examples = self.examples(growth.dice)
        all_found = await together(self.found(growth.teacher, text, examples) for text, _ in new)
        for (text, asked), found in zip(new, all_found, strict=True):
            found = Found(fault=found.reason) if isinstance(found, NoAnswer) else found
            outcome = self.made(growth, text, asked, found, outcome)
        return outcome

    def examples(self, dice: Random) -> tuple[list[Seed], list[Seed]]:
        """Seeds that are classifications, and seeds that are not: the same few for all instructions of a round."""
        seeds = read_seeds(self.of_language(self.seeds))
        return (
            drawn([s for s in seeds if s.classification], SHOWN, dice),
            drawn([s for s in seeds if not s.classification], SHOWN, dice),
        )

    async def found(self, teacher: Teacher, text: str, examples: tuple[list[Seed], list[Seed]]) -> Found:
        """Test the instruction, then have its instances written, the output or the input first. Raises NoAnswer."""
        sent = load("self_instruct/classification", self.language).fill(
            instruction=text,
            classifications=numbered(s.prompt for s in examples[0]),
            others=numbered(s.prompt for s in examples[1]),
        )
        tested, _ = await teacher.ask_json(sent, Tested, self.language)
        if tested is None:
            return Found(fault="untested")
        first, shape = FIRST[tested.classification]
        sent = load(first, self.language).fill(
            instruction=text, count=str(self.instances), examples=solved(examples[not tested.classification])
        )
        read, _ = await teacher.ask_json(sent, shape, self.language, 0.0, self.max_tokens)
        return Found(tuple(tasks(text, read.instances[: self.instances])), sent) if read else Found(fault="unparsed")

    def made(self, growth: Growth, text: str, asked: Asked, found: Found, outcome: Outcome) -> Outcome:
        """The instances that hold, as records of their own; an instruction without any is eliminated itself."""
        if not found.tasks:
            record = growth.written(Task(text), (asked.sent,), asked.shown, task_type=asked.task_type)
            return outcome.eliminating(record, found.fault or "unanswered")
        sent = (asked.sent, *filter(None, [found.sent]))
        classified = bool(found.sent and found.sent.name == FIRST[True][0])
        for task, fault in zip(found.tasks, faults(found.tasks), strict=True):
            label = task.output if classified else ""
            record = growth.written(task, sent, asked.shown, task_type=asked.task_type, reference=label)
            outcome = outcome.eliminating(record, fault, task.output[:200]) if fault else outcome.making(record)
        return outcome


NO_KIND = ("", "other")  # what fits no type of the taxonomy has nothing in common to be asked for
SHOWN = 4  # examples of each kind, with the test for a classification and with the instances
FIRST: dict[bool, tuple[str, type[OutputFirst] | type[InputFirst]]] = {
    True: ("self_instruct/output_first", OutputFirst),
    False: ("self_instruct/input_first", InputFirst),
}


def numbered(texts: Iterable[str]) -> str:
    return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))


def solved(seeds: Iterable[Seed]) -> str:
    """Seeds with their input and output, one JSON object on a line."""
    rows = ({"instruction": s.prompt, "input": s.input, "output": s.response} for s in seeds)
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def tasks(instruction: str, instances: Iterable[Labelling | Solved]) -> Iterator[Task]:
    """Each instance with its instruction, as it is published."""
    for one in instances:
        yield tidy(Task(instruction, one.input, one.label if isinstance(one, Labelling) else one.output))
