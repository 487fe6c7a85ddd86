"""The best of several answers, by a judge who sees them in a shuffled order.

The order is drawn by `dice`: judges favour a place in the list, and no teacher shall gain by its place in a recipe.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

from pydantic import BaseModel, Field

from tasks.prompt import load
from tasks.record import Record
from tasks.teacher.ask import Teacher
from tasks.transcript import asked

PROMPTS = ("answer/pick", "reask")


class Picked(BaseModel):
    """The number of the best one, as the judge was shown them, from 1."""

    reason: str
    best: int = Field(ge=1)


async def pick(record: Record, answers: Sequence[str], judge: Teacher, dice: Random, reasks: int = 1) -> int | None:
    """Where the best of the answers stands among those given, from 0; None where the judge's reply names none."""
    order = dice.sample(range(len(answers)), len(answers))
    shown = numbered([answers[i] for i in order])
    sent = load("answer/pick", record.language).fill(conversation=asked(record), answers=shown)
    read, _ = await judge.ask_json(sent, Picked, record.language, reasks=reasks)
    return order[read.best - 1] if read and read.best <= len(order) else None


def numbered(texts: Sequence[str]) -> str:
    """Texts as JSON, one a line, with numbers from 1: none of them can pass for two."""
    lines = [json.dumps({"number": i, "text": text}, ensure_ascii=False) for i, text in enumerate(texts, 1)]
    return "[\n" + ",\n".join(lines) + "\n]"
