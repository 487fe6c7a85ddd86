"""Chinese-LLaMA-Alpaca: tasks out of nothing but chance topics and kinds of task, in a generic prompt, as JSON.

Cui et al., arXiv:2304.08177: no seeds, so nothing to resemble. Each call draws a topic and a kind of task for every
task that it asks for, and how long instruction, input and output may be. Departures: topics and kinds stand in files
(the taxonomy's kinds, with what they mean), so that a team can put its own there; both languages; and the filters of
Self-Instruct, of which the original has none, keep out what was grown before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from pydantic import BaseModel, PositiveInt

from tasks.produce.growing import Growing, Growth, joined, tidy, unread
from tasks.produce.screen import Task
from tasks.produce.seeds import read_lines
from tasks.prompt import Filled, load
from tasks.setting import MaxTokens
from tasks.step import Outcome
from tasks.taxonomy import Kind, Taxonomy
from tasks.teacher.ask import together


class Item(BaseModel):
    instruction: str
    input: str
    output: str


class Items(BaseModel):
    items: list[Item]


@dataclass(frozen=True, slots=True)
class ChineseLlamaAlpaca(Growing):
    """New prompts on chance topics, of all task types but those left out.

    `topics`: a file with a topic on each line ({language} stands for en or zh).
    `taxonomy`: a file of task types with what they mean.
    `leave_out`: task types of it that are not asked for.
    `instruction`, `material` and `answer`: between which figures the longest instruction, input and output of a call
    are drawn, in words or characters of Chinese.
    """

    per_call: PositiveInt = 10
    topics: str = "data/seeds/topics.{language}.txt"
    taxonomy: str = "data/taxonomy.yaml"
    leave_out: tuple[str, ...] = ("tool_use", "safety", "other")
    instruction: tuple[int, int] = (15, 120)
    material: tuple[int, int] = (30, 300)
    answer: tuple[int, int] = (30, 400)
    max_tokens: MaxTokens = 8192
    prompts: ClassVar[tuple[str, ...]] = ("chinese_llama_alpaca/items", "reask")
    calls: ClassVar[str] = "1 for 10 tasks"

    @property
    def reads(self) -> tuple[str, ...]:
        return self.of_language(self.topics), self.taxonomy, self.of_language(self.cannot)

    def first_texts(self) -> Sequence[str]:
        """None: there are no seeds."""
        read_lines(self.of_language(self.topics))
        self.kinds()
        return ()

    async def round(self, growth: Growth, calls: int, missing: int) -> Outcome:
        outcome, came = Outcome(), list[tuple[Task, Filled]]()
        asked = [(self.filled(growth.dice), growth.next_call()) for _ in range(calls)]
        for (sent, _), reply in zip(asked, await together(self.items(growth, *a) for a in asked), strict=True):
            if isinstance(reply, Items):
                came += [(tidy(Task(i.instruction, i.input, i.output)), sent) for i in reply.items]
            else:
                outcome = unread(outcome, reply)
        return joined(growth, came, outcome)

    async def items(self, growth: Growth, sent: Filled, number: int) -> Items | None:
        how = (self.language, self.temperature, self.max_tokens)
        return (await growth.teacher.ask_json(sent, Items, *how, sample=number))[0]

    def filled(self, dice: Random) -> Filled:
        """A call with its own topics, kinds and lengths."""
        prompt, topics = load("chinese_llama_alpaca/items", self.language), read_lines(self.of_language(self.topics))
        chosen = dice.choices(self.kinds(), k=self.per_call)
        about = [dice.choice(topics) for _ in chosen]
        return prompt.fill(
            count=str(self.per_call),
            wanted=self.wanted(zip(about, chosen, strict=True)),
            longest_instruction=str(dice.randint(*self.instruction)),
            longest_input=str(dice.randint(*self.material)),
            longest_output=str(dice.randint(*self.answer)),
        )

    def kinds(self) -> list[Kind]:
        return [k for k in Taxonomy.read(self.taxonomy).types if k.name.partition("/")[0] not in self.leave_out]

    def wanted(self, pairs: Iterable[tuple[str, Kind]]) -> str:
        """A line for each task: its topic and what kind it is to be of, in the language."""
        said = ((topic, kind.zh if self.language == "zh" else kind.en) for topic, kind in pairs)
        return "\n".join(f"{number}. {topic} | {kind}" for number, (topic, kind) in enumerate(said, 1))
