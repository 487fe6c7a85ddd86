"""How long an answer is: words, characters, sentences, paragraphs, lines.

A word is a Han character or a word of another script; marks are none (`tasks.text.units`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from tasks.constraint.counted import Counted
from tasks.constraint.kind import aspects
from tasks.text import units

WORD = re.compile(r"\w+(?:['’\-]\w+|(?<=\d)[.,:]\d+)*")
SENTENCE_END = re.compile(r"[。！？…]+[”’」』）]*|[.!?]+[\"'”’)]*(?=\s|\Z)|\n")
BLANK = re.compile(r"\n[ \t　]*\n")
SAID = re.compile(r"\w")


def words(text: str) -> int:
    return units(" ".join(WORD.findall(text)))


@dataclass(frozen=True, slots=True)
class Words(Counted):
    """Words; Han characters in Chinese."""

    sets: ClassVar[frozenset[str]] = aspects("size")
    needs: ClassVar[frozenset[str]] = aspects("language")

    def count(self, text: str) -> int:
        return words(text)


@dataclass(frozen=True, slots=True)
class Characters(Counted):
    """Characters with marks and without white space."""

    sets: ClassVar[frozenset[str]] = aspects("size")
    needs: ClassVar[frozenset[str]] = aspects("language")

    def count(self, text: str) -> int:
        return sum(not c.isspace() for c in text)


@dataclass(frozen=True, slots=True)
class Sentences(Counted):
    """Sentences: each ends at a mark that ends one, or with its line. A dot with a space behind it is such a mark."""

    sets: ClassVar[frozenset[str]] = aspects("size")

    def count(self, text: str) -> int:
        return sum(bool(SAID.search(part)) for part in SENTENCE_END.split(text))


@dataclass(frozen=True, slots=True)
class Paragraphs(Counted):
    """Paragraphs with a blank line between them."""

    sets: ClassVar[frozenset[str]] = aspects("breaks", "parts")

    def count(self, text: str) -> int:
        return sum(bool(part.strip()) for part in BLANK.split(text))


@dataclass(frozen=True, slots=True)
class Lines(Counted):
    """Lines that are not blank."""

    sets: ClassVar[frozenset[str]] = aspects("breaks", "parts")

    def count(self, text: str) -> int:
        return len(lines(text))


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]
