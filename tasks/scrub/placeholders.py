"""Replace personal data by typed placeholders, before anything leaves the machine.

One value has one placeholder through the whole conversation, so that `mail [EMAIL_1], not [EMAIL_2]` still
says what it said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, Literal

from tasks.language import detect
from tasks.personal import Placeholders
from tasks.record import Message, Record
from tasks.step import Outcome
from tasks.teacher.ask import Teacher


@dataclass(frozen=True, slots=True)
class Scrub:
    """Every text of a record with its personal data replaced."""

    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        language = detect(record.instruction)
        known = Placeholders()

        def clean(text: str) -> str:
            return known.replace(text, language)

        def scrubbed(m: Message) -> Message:
            calls = tuple(replace(c, arguments=clean(c.arguments)) for c in m.tool_calls)
            return replace(m, content=clean(m.content), name=clean(m.name), tool_calls=calls)

        messages = tuple(map(scrubbed, record.messages))
        input_, response = clean(record.input), clean(record.student_response)
        return Outcome.keeping(replace(record, messages=messages, input=input_, student_response=response))
