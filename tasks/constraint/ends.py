"""How an answer begins and how it ends; and answers of two parts."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from tasks.constraint.kind import Constraint, aspects
from tasks.text import key, units

PHRASE = re.compile(r"[^\s,.!?;:，。！？；：、…\"“”「」()（）*#\-][^,.!?;:，。！？；：、…\n\"“”「」()（）*]*")
TRAIL = re.compile(r"[\s.!?。！？…\"”’」』*)）]+\Z")
QUOTES = "\"“”'‘’「」『』> *"
SHORT = 12
SEPARATOR = "******"


@dataclass(frozen=True, slots=True)
class OpensWith(Constraint):
    """The answer begins with this phrase."""

    phrase: str
    sets: ClassVar[frozenset[str]] = aspects("opening")
    needs: ClassVar[frozenset[str]] = aspects("language")

    def holds(self, text: str) -> bool:
        return bool(self.phrase.strip()) and key(text).startswith(key(self.phrase))

    def nearest(self, text: str) -> Self | None:
        """What stands before the first mark, where that is short."""
        first = PHRASE.match(text.lstrip())
        said = first[0].strip() if first else ""
        return replace(self, phrase=said) if 0 < units(said) <= SHORT else None

    @property
    def wanted(self) -> tuple[str, ...]:
        return (self.phrase,)


@dataclass(frozen=True, slots=True)
class ClosesWith(Constraint):
    """The answer ends with this phrase; marks behind it do not count."""

    phrase: str
    sets: ClassVar[frozenset[str]] = aspects("ending")
    needs: ClassVar[frozenset[str]] = aspects("language")

    def holds(self, text: str) -> bool:
        wanted = key(TRAIL.sub("", self.phrase))
        return bool(wanted) and key(TRAIL.sub("", text)).endswith(wanted)

    def nearest(self, text: str) -> Self | None:
        """What stands behind the last mark, where that is short."""
        last = PHRASE.findall(TRAIL.sub("", text))
        said = last[-1].strip() if last else ""
        return replace(self, phrase=said) if 0 < units(said) <= SHORT else None

    @property
    def wanted(self) -> tuple[str, ...]:
        return (self.phrase,)


@dataclass(frozen=True, slots=True)
class Postscript(Constraint):
    """The last paragraph is a postscript that this marker leads."""

    marker: str
    sets: ClassVar[frozenset[str]] = aspects("ending")
    needs: ClassVar[frozenset[str]] = aspects("language", "parts")

    def holds(self, text: str) -> bool:
        last = [line.strip() for line in text.strip().splitlines() if line.strip()][-1:]
        return bool(self.marker) and any(key(line).startswith(key(self.marker)) for line in last)

    @property
    def wanted(self) -> tuple[str, ...]:
        return (self.marker,)


@dataclass(frozen=True, slots=True)
class RepeatsPrompt(Constraint):
    """The answer begins with the question, word for word, in quotation marks or without."""

    prompt: str
    sets: ClassVar[frozenset[str]] = aspects("opening")
    needs: ClassVar[frozenset[str]] = aspects("language", "size", "parts")

    def holds(self, text: str) -> bool:
        asked, said = bare(self.prompt), bare(text)
        return bool(asked) and said.startswith(asked) and said.removeprefix(asked).strip(QUOTES) != ""

    @property
    def wanted(self) -> tuple[str, ...]:
        return (self.prompt,)


@dataclass(frozen=True, slots=True)
class TwoResponses(Constraint):
    """Two different answers with a line of six asterisks between them."""

    sets: ClassVar[frozenset[str]] = aspects("breaks", "parts", "size")

    def holds(self, text: str) -> bool:
        parts = [part.strip() for part in text.split(SEPARATOR)]
        return len(parts) == 2 and all(parts) and parts[0] != parts[1]


def bare(text: str) -> str:
    """The folded text without the quotation marks that stand before it."""
    return key(text).lstrip(QUOTES)
