"""The prompt of a row of somebody's dataset, in the shapes in which instruction data is published; never its answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.record import Message

ROLES = {"human": "user", "user": "user", "prompter": "user", "system": "system", "gpt": "assistant"}
ROLES |= {"assistant": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant"}
ASKED = ("instruction", "prompt", "question", "query")  # columns of one prompt, in the order in which they are tried
GIVEN = ("input", "context")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a row asks, the input that goes with it, and what is known of it."""

    messages: tuple[Message, ...]
    input: str = ""
    reference: str = ""


def asked(row: Mapping[str, Any], last: bool) -> Asked | None:
    """The prompt of a row: messages, ShareGPT, Alpaca, or a prompt column; None where there is none.

    Of a conversation it is the first user turn, with the system turn before it; or the last, with all that was said.
    """
    for column in ("messages", "conversations", "conversation"):
        if isinstance(row.get(column), list):
            return conversation([*turns(row[column])], last)
    text = next((row[c] for c in ASKED if isinstance(row.get(c), str) and row[c].strip()), "")
    given = next((row[c] for c in GIVEN if isinstance(row.get(c), str) and row[c].strip()), "")
    system = row.get("system") if isinstance(row.get("system"), str) else ""
    before = (Message("system", system),) if system else ()
    return Asked((*before, Message("user", text.strip())), given.strip()) if text else None


def turns(plain: Iterable[Any]) -> Iterable[Message]:
    """Turns as `role` and `content`, or as `from` and `value`; others are left out."""
    for one in plain:
        if isinstance(one, dict):
            role = ROLES.get(str(one.get("role") or one.get("from") or "").lower())
            text = one.get("content") if "content" in one else one.get("value")
            if role and isinstance(text, str) and text.strip():
                yield Message(role, text.strip())


def conversation(said: list[Message], last: bool) -> Asked | None:
    places = [i for i, turn in enumerate(said) if turn.role == "user"]
    if not places:
        return None
    end = places[-1] if last else places[0]
    return Asked(tuple(turn for i, turn in enumerate(said[: end + 1]) if last or turn.role == "system" or i == end))
