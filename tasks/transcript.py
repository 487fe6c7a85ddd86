"""A conversation as one text that a judge can read: each turn between marks that do not occur in it."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.prompt import fence_mark
from tasks.record import Message, Record, spoken


def transcript(messages: Iterable[Message]) -> str:
    """The turns one after the other, tool calls with their arguments."""
    said = [(m.role, spoken(m)) for m in messages]
    mark = fence_mark([text for _, text in said])
    return "\n".join(f"<{role} {mark}>\n{text.strip(chr(10))}\n</{role} {mark}>" for role, text in said)


def asked(record: Record) -> str:
    """What is asked, with the input and the tools that go with it."""
    extra = [Message(role, text) for role, text in (("input", record.input), ("tools", record.tools)) if text]
    return transcript([*record.ask, *extra])
