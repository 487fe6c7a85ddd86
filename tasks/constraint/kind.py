"""A constraint: something that a prompt asks of its answer and that code can check.

`holds` says whether a text keeps it. `restated` gives what may honestly be asked instead, from what the text does
("shoot the arrow, then draw the target", document 002): the constraint itself where it holds, and None where nothing
of its kind would be true of the text.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

WORD_BREAK = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Constraint(ABC):
    """What is asked stands in the fields. `languages` are those of the prompts that it may be asked in.

    `sets` names what it decides about the answer, `needs` what it leaves to others but relies on; see `contradict` in
    `register.py`. One that `bans` something must hold of every text that others want in the answer, their `wanted`.
    """

    languages: ClassVar[tuple[str, ...]] = ("en", "zh")
    sets: ClassVar[frozenset[str]] = frozenset()
    needs: ClassVar[frozenset[str]] = frozenset()
    bans: ClassVar[bool] = False

    @abstractmethod
    def holds(self, text: str) -> bool:
        """Whether the text keeps it."""

    def nearest(self, text: str) -> Self | None:
        """The same kind of constraint as close as it comes to the text, which breaks this one."""
        return None

    def restated(self, text: str) -> Self | None:
        """What the text keeps: this one, else the nearest that it does keep, else None."""
        if self.holds(text):
            return self
        other = self.nearest(text)
        return other if other is not None and other.holds(text) else None

    @property
    def wanted(self) -> tuple[str, ...]:
        """Texts that have to stand in the answer as they are."""
        return ()

    @property
    def form(self) -> str:
        """Which of the wordings of its kind says it; empty where there is one."""
        return ""

    @property
    def name(self) -> str:
        """What its kind is called where it is written down: `chinese_quotes`."""
        return named(type(self))


def named(kind: type[Constraint]) -> str:
    return WORD_BREAK.sub("_", kind.__name__).lower()


def aspects(*names: str) -> frozenset[str]:
    return frozenset(names)
