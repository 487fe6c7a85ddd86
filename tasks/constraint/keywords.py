"""Which words stand in an answer and which do not: English ones as whole words, Chinese ones wherever they occur."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from tasks.constraint.counted import Counted
from tasks.constraint.kind import Constraint, aspects


def occurrences(word: str, text: str) -> int:
    """How often a word stands in a text, whatever the case."""
    edge = [r"\b" if c.isascii() and c.isalnum() else "" for c in (word[:1], word[-1:])]
    return len(re.findall(f"{edge[0]}{re.escape(word)}{edge[1]}", text, re.IGNORECASE | re.ASCII)) if word else 0


@dataclass(frozen=True, slots=True)
class Keywords(Constraint):
    """Every one of these words stands in the answer."""

    words: tuple[str, ...]
    needs: ClassVar[frozenset[str]] = aspects("language")

    def holds(self, text: str) -> bool:
        return bool(self.words) and all(occurrences(w, text) for w in self.words)

    def nearest(self, text: str) -> Self | None:
        return replace(self, words=tuple(w for w in self.words if occurrences(w, text)))

    @property
    def wanted(self) -> tuple[str, ...]:
        return self.words


@dataclass(frozen=True, slots=True)
class KeywordCount(Counted):
    """A word stands in the answer a number of times."""

    word: str = ""
    needs: ClassVar[frozenset[str]] = aspects("language")

    def count(self, text: str) -> int:
        return occurrences(self.word, text)

    @property
    def wanted(self) -> tuple[str, ...]:
        return (self.word,) if self.least else ()


@dataclass(frozen=True, slots=True)
class Forbidden(Constraint):
    """None of these words stands in the answer."""

    words: tuple[str, ...]
    needs: ClassVar[frozenset[str]] = aspects("language")
    bans: ClassVar[bool] = True

    def holds(self, text: str) -> bool:
        return bool(self.words) and not any(occurrences(w, text) for w in self.words)

    def nearest(self, text: str) -> Self | None:
        return replace(self, words=tuple(w for w in self.words if not occurrences(w, text)))
