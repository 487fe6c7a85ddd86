"""What a rule of mining sees of a row, and what a rule is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tasks.hanzi import simplified
from tasks.language import LETTER, detect
from tasks.record import ROBUST
from tasks.step import Drop
from tasks.text import key, units

ENOUGH_TO_TELL = 4


@dataclass(frozen=True, slots=True)
class Ask:
    """`last` is what is asked and `said` all that the user said, as written; `folded` and `said_folded` the same
    for matching: lower case, half width, simplified characters. `before` is the model's turn just before."""

    last: str
    said: str
    everything: str
    before: str
    folded: str
    said_folded: str
    language: str
    turns: int
    tags: tuple[str, ...]

    @property
    def robust(self) -> bool:
        """Whether the way it is written is what the row is for (typos, half sentences, mixed languages)."""
        return ROBUST in self.tags


class Rule(Protocol):
    """A frozen dataclass whose fields are its settings: None to keep a row, else a reason, or a Drop with a detail."""

    def __call__(self, ask: Ask) -> str | Drop | None: ...


def ask_of(messages: Sequence[dict[str, Any]], tags: Sequence[str], otherwise: str) -> Ask:
    """`otherwise` is the language of a row that holds no letter."""
    users = [m["content"] for m in messages if m["role"] == "user"]
    last, said = users[-1] if users else "", "\n".join(users)
    everything = "\n".join(m["content"] for m in messages)
    folded = simplified(key(last))
    return Ask(
        last=last,
        said=said,
        everything=everything,
        before=before(messages),
        folded=folded,
        said_folded=folded if len(users) < 2 else simplified(key(said)),
        language=spoken(last, said, everything, otherwise),
        turns=len(users),
        tags=tuple(tags),
    )


def before(messages: Sequence[dict[str, Any]]) -> str:
    """The model's turn that the last user turn answers."""
    asked = max((i for i, m in enumerate(messages) if m["role"] == "user"), default=0)
    return next((m["content"] for m in reversed(messages[:asked]) if m["role"] == "assistant"), "")


def spoken(last: str, said: str, everything: str, otherwise: str) -> str:
    """The language of the first of these that can tell: what is asked, what the user said, the session."""
    telling = [last] if units(last) >= ENOUGH_TO_TELL else []
    return next((detect(text) for text in (*telling, said, everything) if LETTER.search(text)), otherwise)
