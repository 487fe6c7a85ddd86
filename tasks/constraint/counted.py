"""Constraints on how many there are of something: at least, at most, exactly, between, none.

Restated, a bound moves to a round figure on the honest side of the count, as in document 002: 200 words asked and 189
given becomes at least 180. Up to 19 the figure is the count itself; it is a multiple of 5 up to 99, and has two digits
that count from there on. Of a text that has none of it, nothing is restated.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Self

from tasks.constraint.kind import Constraint


@dataclass(frozen=True, slots=True)
class Counted(Constraint):
    """`least` and `most` are inclusive; None for no upper bound. Raises ValueError for bounds that bound nothing."""

    least: int = 0
    most: int | None = None

    def __post_init__(self) -> None:
        if (
            self.least < 0
            or (self.most is not None and self.most < self.least)
            or (not self.least and None is self.most)
        ):
            raise ValueError(f"{self.name} from {self.least} to {self.most} is no bound")

    @abstractmethod
    def count(self, text: str) -> int:
        """How many the text has."""

    def holds(self, text: str) -> bool:
        return self.least <= self.count(text) and (self.most is None or self.count(text) <= self.most)

    def nearest(self, text: str) -> Self | None:
        there = self.count(text)
        if not there:
            return None
        if self.form == "exactly":
            return replace(self, least=down(there), most=up(there))
        return replace(self, least=down(there)) if there < self.least else replace(self, most=up(there))

    @property
    def form(self) -> str:
        if self.most is None:
            return "at_least"
        if not self.most:
            return "none"
        return "exactly" if self.least == self.most else "between" if self.least else "at_most"


def step(count: int) -> int:
    """How round a figure near this count is."""
    return 1 if count < 20 else 5 if count < 100 else 10 ** (len(str(count)) - 2)


def down(count: int) -> int:
    return count // step(count) * step(count)


def up(count: int) -> int:
    return -(-count // step(count)) * step(count)
