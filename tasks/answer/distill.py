"""Distil an answer: the teacher answers the conversation directly, or reasons first where that pays.

Direct distillation after document 001; chain of thought after Wei et al., arXiv:2201.11903, with the
reasoning stripped from the published answer, or kept apart, as the recipe says (document 002: let the
teacher reason even if the student shall not). What is sent is not what is published: guidance and
examples go to the teacher alone. A family of models that wants other words, or another place for them, is asked
with a wrapper of its own: a prompt file in the place of `answer/direct`, found by the model's name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, NonNegativeInt

from tasks.prompt import LANGUAGES, Filled, Prompt, PromptError, file_of, load
from tasks.recipe import RecipeError, located
from tasks.record import Kind, Message, Record, ToolCall
from tasks.setting import KeepReasoning, MaxTokens, Reasks, Temperature
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.teacher.taught import taught
from tasks.tools import sendable
from tasks.transcript import asked

DIRECT = "answer/direct"


def not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    return text


Said = Annotated[str, AfterValidator(not_blank)]  # checked here: not every strict endpoint takes `minLength`


class Reasoned(BaseModel):
    """An answer after its reasoning."""

    reasoning: Said
    answer: Said


@dataclass(frozen=True, slots=True)
class Distill:
    """Every record with a response, or dropped with the reason why there is none.

    `chain_of_thought_for`: task types where the teacher reasons first; empty: none.
    `few_shot`: examples sent before a single question, drawn from the pool; 0: none.
    `pool`: a file of examples, JSON Lines of language, task_type, prompt and response.
    `tier_for`: pairs of a task type and the tier of the recipe that answers it.
    `wrapper_for`: pairs of a pattern of a model's name (*qwen3*, whatever the case) and the prompt that it is asked
    directly with.
    """

    chain_of_thought_for: tuple[str, ...] = ("mathematics", "reasoning")
    keep_reasoning: KeepReasoning = False
    few_shot: NonNegativeInt = 0
    pool: str = ""
    temperature: Temperature = 0.7
    max_tokens: MaxTokens = 4096
    reasks: Reasks = 1
    tier_for: tuple[tuple[str, str], ...] = ()
    wrapper_for: tuple[tuple[str, str], ...] = ()
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    prompts: ClassVar[tuple[str, ...]] = (DIRECT, "answer/chain_of_thought", "reask")
    shape: ClassVar[Literal["each"]] = "each"

    @property
    def reads(self) -> tuple[str, ...]:
        """The data files that the answers depend on."""
        wrappers = {str(file_of(name, lang)) for _, name in self.wrapper_for for lang in LANGUAGES}
        return (*([self.pool] if self.few_shot else ()), *sorted(wrappers))

    @property
    def stamps(self) -> tuple[str, ...]:
        """What its rows bear in their lineage: where the prompt stands that they were asked with."""
        return tuple(
            dict.fromkeys(prompt.split("/")[0] for prompt in (DIRECT, *(name for _, name in self.wrapper_for)))
        )

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        if record.task_type in self.chain_of_thought_for:
            return await self.reasoned(record, teacher)
        return await self.direct(record, teacher, dice)

    async def direct(self, record: Record, teacher: Teacher, dice: Random, sample: int = 0) -> Outcome:
        """An answer at once; `sample` tells several of them apart."""
        prompt = load(wrapper(teacher.model, self.wrapper_for), record.language)
        sent = filled(prompt, record, self.examples(record, dice))
        reply = await teacher.ask(sent, self.temperature, self.max_tokens, sample, sendable(record.tools))
        calls = [ToolCall(**c) for c in reply.tool_calls]
        answered = record.answering(reply.text.strip(), reply.reasoning if self.keep_reasoning else "", calls)
        spent = (reply.prompt_tokens, reply.response_tokens)
        return Outcome.keeping(taught(answered, teacher, sent, spent))

    async def reasoned(self, record: Record, teacher: Teacher) -> Outcome:
        sent = load("answer/chain_of_thought", record.language).fill(conversation=asked(record))
        read, reply = await teacher.ask_json(
            sent, Reasoned, record.language, self.temperature, self.max_tokens, self.reasks
        )
        if read is None:
            return Outcome().dropping("unparsed", f"answer: {reply.text[:200]}")
        answered = record.answering(read.answer.strip(), read.reasoning if self.keep_reasoning else "")
        return Outcome.keeping(taught(answered, teacher, sent, (reply.prompt_tokens, reply.response_tokens)))

    def examples(self, record: Record, dice: Random) -> tuple[Message, ...]:
        """A few pairs from the pool in the record's language, of its own task type where there are enough.

        None where turns stand before the question: pairs among them would break a system turn's rules, or pass for
        the user's own.
        """
        if not self.few_shot or len(record.ask) > 1:
            return ()
        fitting = [e for e in read_pool(self.pool) if e["language"] == record.language]
        of_type = [e for e in fitting if e["task_type"] == record.task_type]
        drawn = dice.sample(of_type if len(of_type) >= self.few_shot else fitting, min(self.few_shot, len(fitting)))
        return tuple(m for e in drawn for m in (Message("user", e["prompt"]), Message("assistant", e["response"])))


def wrapper(model: str, wrapper_for: tuple[tuple[str, str], ...]) -> str:
    """The prompt that a model is asked directly with: the first whose pattern its name fits, or the one for all."""
    return next((name for like, name in wrapper_for if fnmatchcase(model.lower(), like.lower())), DIRECT)


def fits(name: str) -> None:
    """Raises PromptError where a prompt cannot stand in the place of `answer/direct`."""
    for prompt in (load(name, lang) for lang in LANGUAGES):
        strange = sorted(prompt.slots - {"system", "examples", "conversation"})
        if strange or "conversation" not in prompt.slots:
            what = f"has a slot {strange[0]}" if strange else "has no conversation"
            raise PromptError(f"the wrapper {name} {what}; a wrapper fills conversation, system and examples")


def filled(prompt: Prompt, record: Record, examples: tuple[Message, ...]) -> Filled:
    """What is sent. A prompt takes the conversation as turns, or in a slot as one text with its system turn."""
    turns = conversation(record)
    system = tuple(m for m in turns if m.role == "system")
    rest = tuple(m for m in turns if m.role != "system")
    lists = {t.turns for t in prompt.turns if t.turns}
    given = {"system": system, "examples": examples, "conversation": rest}
    written = {} if "conversation" in lists else {"conversation": asked(record)}
    return prompt.fill({name: given[name] for name in lists}, **written)


def conversation(record: Record) -> tuple[Message, ...]:
    """The turns as they are asked; an input of its own stands below the last one."""
    if not record.input:
        return record.ask
    *before, last = record.ask
    return (*before, replace(last, content=f"{last.content}\n\n{record.input}"))


@cache
def read_pool(path: str) -> tuple[dict[str, Any], ...]:
    """The examples of a pool file. Raises RecipeError where it cannot be read."""
    try:
        lines = located(path).read_text().splitlines()
        rows = tuple(json.loads(line) for line in lines if line.strip())
        if rows and all({"language", "task_type", "prompt", "response"} <= row.keys() for row in rows):
            return rows
        raise ValueError(
            "expected language, task_type, prompt and response on each line" + ", and it is empty" * (not rows)
        )
    except (OSError, ValueError, AttributeError) as fault:
        raise RecipeError(f"{path} is not a pool of examples: {fault}", "answer.pool") from None
