"""Replace personal data by typed placeholders, before anything leaves the machine.

One value has one placeholder through the whole conversation, so that `mail [EMAIL_1], not [EMAIL_2]` still
says what it said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, ClassVar, Literal

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
        language = detect(record.instruction or record.passage)
        known = Placeholders()

        def clean(text: str) -> str:
            return known.replace(text, language)

        def scrubbed(m: Message) -> Message:
            calls = tuple(replace(c, arguments=in_json(c.arguments, clean)) for c in m.tool_calls)
            return replace(m, content=clean(m.content), name=clean(m.name), tool_calls=calls)

        messages = tuple(map(scrubbed, record.messages))
        tools, response = in_json(record.tools, clean), clean(record.student_response)
        said = {"input": clean(record.input), "passage": clean(record.passage), "reference": clean(record.reference)}
        return Outcome.keeping(record.knowing(messages=messages, tools=tools, student_response=response, **said))


def in_json(text: str, clean: Callable[[str], str]) -> str:
    """JSON text cleaned value by value, so that it stays JSON, and an escaped letter hides no number beside it."""
    try:
        plain = json.loads(text)
        cleaned = walked(plain, clean)
    except (ValueError, RecursionError):
        return clean(text)
    return text if cleaned == plain else json.dumps(cleaned, ensure_ascii=False).encode(errors="replace").decode()


def walked(plain: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(plain, str):
        return clean(plain)
    if isinstance(plain, list):
        return [walked(p, clean) for p in plain]
    if isinstance(plain, dict):
        return {clean(k): walked(v, clean) for k, v in plain.items()}
    return plain if clean(said := str(plain)) == said else clean(said)
