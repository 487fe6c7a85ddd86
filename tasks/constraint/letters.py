"""Letters: how often one occurs, and upper and lower case. Case is asked of English alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from tasks.constraint.counted import Counted
from tasks.constraint.kind import Constraint, aspects

CAPITALS = re.compile(r"\b[A-Z]{2,}\b")


@dataclass(frozen=True, slots=True)
class LetterCount(Counted):
    """A letter, whatever its case, or a Chinese character stands in the answer a number of times."""

    letter: str = ""
    needs: ClassVar[frozenset[str]] = aspects("language")

    def count(self, text: str) -> int:
        return text.lower().count(self.letter.lower()) if self.letter else 0


@dataclass(frozen=True, slots=True)
class CapitalWords(Counted):
    """Words of two letters or more in capitals throughout."""

    languages: ClassVar[tuple[str, ...]] = ("en",)
    sets: ClassVar[frozenset[str]] = aspects("case")
    needs: ClassVar[frozenset[str]] = aspects("language")

    def count(self, text: str) -> int:
        return len(CAPITALS.findall(text))


@dataclass(frozen=True, slots=True)
class UpperCase(Constraint):
    """No small letter, and at least one capital."""

    languages: ClassVar[tuple[str, ...]] = ("en",)
    sets: ClassVar[frozenset[str]] = aspects("case")
    needs: ClassVar[frozenset[str]] = aspects("language")
    bans: ClassVar[bool] = True

    def holds(self, text: str) -> bool:
        return text.isupper()


@dataclass(frozen=True, slots=True)
class LowerCase(Constraint):
    """No capital, and at least one small letter."""

    languages: ClassVar[tuple[str, ...]] = ("en",)
    sets: ClassVar[frozenset[str]] = aspects("case")
    needs: ClassVar[frozenset[str]] = aspects("language")
    bans: ClassVar[bool] = True

    def holds(self, text: str) -> bool:
        return text.islower()
