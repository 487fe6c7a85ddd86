"""Which prompts are worth a teacher's answer: named rules, the first that objects gives the reason.

A rule takes an `Ask` and gives its reason to drop it, or None. The language that the rules decide by is
kept on the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal

import pyarrow as pa
import yaml

from tasks.language import LETTER, detect
from tasks.recipe import PROJECT
from tasks.step import Sieved
from tasks.text import key, units

MARKS = re.compile(r"[\W_]+")
APOSTROPHE = re.compile(r"['’]")
ENOUGH_TO_TELL = 4
LONGEST_GREETING = 40


@dataclass(frozen=True, slots=True)
class Ask:
    """What a rule sees: the last user turn, all text, the language, how many turns the user had, the tags."""

    last: str
    everything: str
    language: str
    turns: int
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Worth:
    """Drop what is not worth asking; the limits are in words, or characters of Chinese."""

    languages: tuple[str, ...] = ("en", "zh")
    min_units: int = 3
    max_units: int = 8000
    reads: ClassVar[tuple[str, ...]] = ("data/greetings.yaml",)
    shape: ClassVar[Literal["table"]] = "table"

    def __call__(self, table: pa.Table) -> Sieved:
        tags = table.column("tags").to_pylist()
        asks = [ask_of(m, tuple(t)) for m, t in zip(table.column("messages").to_pylist(), tags, strict=True)]
        found = [next((why for rule in RULES if (why := rule(a, self))), None) for a in asks]
        named = table.set_column(
            table.schema.get_field_index("language"), "language", pa.array([a.language for a in asks], pa.string())
        )
        return Sieved(named, pa.array(found, pa.string()))


def ask_of(messages: list[dict[str, Any]], tags: tuple[str, ...]) -> Ask:
    users = [m["content"] for m in messages if m["role"] == "user"]
    last = users[-1] if users else ""
    telling = last if units(last) >= ENOUGH_TO_TELL and LETTER.search(last) else "\n".join(users)
    return Ask(last, "\n".join(m["content"] for m in messages), detect(telling), len(users), tags)


def not_text(ask: Ask, limits: Worth) -> str | None:
    return "not_text" if "not_text" in ask.tags else None


def no_words(ask: Ask, limits: Worth) -> str | None:
    return None if LETTER.search(ask.last) or re.search(r"\d\s*[-+*/x×÷^=<>]\s*\d", ask.last) else "no_words"


def greeting(ask: Ask, limits: Worth) -> str | None:
    """Nothing but greetings and thanks, however often: `谢谢谢谢！`, `ok thanks`."""
    said = MARKS.sub(" ", APOSTROPHE.sub("", key(ask.last))).strip()
    return "greeting" if len(said) <= LONGEST_GREETING and made_of(said, greetings(ask.turns == 1)) else None


def length(ask: Ask, limits: Worth) -> str | None:
    if ask.turns == 1 and units(ask.last) < limits.min_units:
        return "too_short"
    return "too_long" if units(ask.everything) > limits.max_units else None


def language(ask: Ask, limits: Worth) -> str | None:
    return None if ask.language in limits.languages else "other_language"


RULES: tuple[Callable[[Ask, Worth], str | None], ...] = (not_text, no_words, greeting, length, language)


@cache
def greetings(first: bool) -> tuple[re.Pattern[str], ...]:
    """What counts as a greeting in a first turn, or in a later one."""
    listed: dict[str, list[str]] = yaml.safe_load((PROJECT / Worth.reads[0]).read_text())
    end = r"(?: |(?<=[\u4e00-\u9fff])|\Z)"
    words = listed["greetings"] + listed["answers"] * first
    return tuple(re.compile(rf"{re.escape(word)}{end}(?:\d+(?: |\Z))*") for word in words)


def made_of(said: str, words: tuple[re.Pattern[str], ...]) -> bool:
    """Whether a text is these words and nothing else. One pattern for all of them would try every way to cut
    `嗯嗯嗯嗯…` into pieces, and there are millions."""
    reached = {0}
    for at in range(len(said)):
        if at in reached:
            reached |= {found.end() for word in words if (found := word.match(said, at))}
    return bool(said) and len(said) in reached
