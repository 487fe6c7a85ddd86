"""Which of several candidates is the best: the judge sees them in the order given, and names one by its number."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from tasks.prompt import load
from tasks.record import Message, Record
from tasks.step import Drop
from tasks.teacher.ask import Teacher
from tasks.teacher.endings import NoAnswer
from tasks.transcript import transcript

BEST = "evolution/best"


class Best(BaseModel):
    """Which candidate goes on, by its number as shown."""

    reason: str
    best: int = Field(ge=1)


async def chosen(shown: Sequence[Record], judge: Teacher, reasks: int) -> tuple[Record | None, Drop]:
    """The best of the candidates and why the others go; none where the verdict cannot be read."""
    language = shown[0].language
    listed = transcript(Message(f"candidate_{n}", c.instruction) for n, c in enumerate(shown, 1))
    try:
        read, reply = await judge.ask_json(load(BEST, language).fill(candidates=listed), Best, language, reasks=reasks)
    except NoAnswer as none:
        return None, Drop("unjudged", none.reason)
    if read is None or read.best > len(shown):
        return None, Drop("unjudged", reply.text[:200])
    return shown[read.best - 1], Drop("surpassed", read.reason)
