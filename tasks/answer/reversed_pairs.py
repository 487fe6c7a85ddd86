"""Reversed pairs (response -> prompt): the data on which the backward model of instruction backtranslation is trained.

Li et al., arXiv:2308.06259: the seed data turned round. The user turn is word for word what `backtranslation` asks its
backward model, so that the model is trained on what it will be asked; the paper trains on the bare response.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Literal

from tasks.prompt import load
from tasks.record import Kind, Record
from tasks.step import USED, Outcome
from tasks.teacher.ask import Teacher

PROMPT = "backtranslation/prompt"


@dataclass(frozen=True, slots=True)
class ReversedPairs:
    """Each row of one turn turned round; the row itself ends as used, since this is a training set of its own.

    The pair keeps the labels of the row, and teacher and licence of the response that it holds. Rows that a prompt
    alone does not explain are dropped: those of several turns, with a system turn, or with tools.
    """

    takes: ClassVar[Kind] = "rows"
    gives: ClassVar[Kind] = "rows"
    calls: ClassVar[str] = "none"
    prompts: ClassVar[tuple[str, ...]] = (PROMPT,)
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        if [m.role for m in record.ask] != ["user"]:
            return Outcome().dropping("several_turns", f"{len(record.ask)} turns are asked")
        if record.tools or record.messages[-1].tool_calls:
            return Outcome().dropping("uses_tools")
        asked = load(PROMPT, record.language).fill(answer=record.response)
        prompt = "\n\n".join(filter(None, [record.instruction, record.input]))
        pair = record.derived("reversed_pairs", asked.messages, teacher=record.teacher).answering(prompt)
        return Outcome().dropping(USED).making(pair)
