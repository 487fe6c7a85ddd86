"""The layout of an answer: lists, headings, a title, bold text, a table, a code block."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar, Self

from tasks.constraint.counted import Counted, down, up
from tasks.constraint.kind import Constraint, aspects
from tasks.text import prose

BULLET = re.compile(r"^[ \t]*([-*+•])[ \t]+\S", re.MULTILINE)
NUMBERED = re.compile(r"^[ \t]*\d{1,3}(?:[.)][ \t]+|[、．])\S", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}[ \t]+\S", re.MULTILINE)
BOLD = re.compile(r"\*\*(?=\S)[^*\n]+(?<=\S)\*\*")
TITLE = re.compile(r"\A\s*(?:#[ \t]+\S|《[^《》\n]+》[ \t]*(?:\n|\Z))")
RULED = re.compile(r"^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
FENCED = re.compile(r"^[ \t]*```[ \t]*([^\s`]*)[^`\n]*\n.*?^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Bullets(Counted):
    """Items of a bulleted list, each led by `style`."""

    style: str = "-"
    sets: ClassVar[frozenset[str]] = aspects("breaks", "layout")

    def count(self, text: str) -> int:
        return styles(text)[self.style]

    def nearest(self, text: str) -> Self | None:
        """The style may change besides the number."""
        if not styles(text):
            return None
        style, there = styles(text).most_common(1)[0]
        same = replace(self, style=style)
        return same if same.holds(text) else replace(same, least=down(there), most=self.most and up(there))


def styles(text: str) -> Counter[str]:
    """How many items each kind of bullet leads."""
    return Counter(BULLET.findall(prose(text)))


@dataclass(frozen=True, slots=True)
class Numbered(Counted):
    """Items of a numbered list."""

    sets: ClassVar[frozenset[str]] = aspects("breaks", "layout")

    def count(self, text: str) -> int:
        return len(NUMBERED.findall(prose(text)))


@dataclass(frozen=True, slots=True)
class Headings(Counted):
    """Markdown headings of any level."""

    sets: ClassVar[frozenset[str]] = aspects("headings", "opening")
    needs: ClassVar[frozenset[str]] = aspects("parts")

    def count(self, text: str) -> int:
        return len(HEADING.findall(prose(text)))


@dataclass(frozen=True, slots=True)
class Bold(Counted):
    """Passages in bold, as Markdown has them."""

    sets: ClassVar[frozenset[str]] = aspects("emphasis")

    def count(self, text: str) -> int:
        return len(BOLD.findall(prose(text)))


@dataclass(frozen=True, slots=True)
class Title(Constraint):
    """The answer begins with a title: a heading of the first level, or 《…》 in a line of its own."""

    sets: ClassVar[frozenset[str]] = aspects("opening", "headings")
    needs: ClassVar[frozenset[str]] = aspects("parts")

    def holds(self, text: str) -> bool:
        return bool(TITLE.match(text))


@dataclass(frozen=True, slots=True)
class Table(Constraint):
    """A Markdown table of so many columns."""

    columns: int
    sets: ClassVar[frozenset[str]] = aspects("breaks", "layout")

    def holds(self, text: str) -> bool:
        return self.columns in widths(text)

    def nearest(self, text: str) -> Self | None:
        return next((replace(self, columns=n) for n in widths(text)), None)


def widths(text: str) -> list[int]:
    """Columns of each table: a line of dashes with a line of as many cells above it."""
    rows = prose(text).splitlines()
    pairs = pairwise(rows)
    return [cells(rule) for head, rule in pairs if "|" in rule and RULED.match(rule) and cells(head) == cells(rule)]


def cells(row: str) -> int:
    return row.strip().strip("|").count("|") + 1


@dataclass(frozen=True, slots=True)
class CodeBlock(Constraint):
    """A fenced block that names this language."""

    language: str
    sets: ClassVar[frozenset[str]] = aspects("breaks", "layout")
    needs: ClassVar[frozenset[str]] = aspects("case", "marks", "commas", "quotes", "size")

    def holds(self, text: str) -> bool:
        return self.language.lower() in fences(text)

    def nearest(self, text: str) -> Self | None:
        return next((replace(self, language=name) for name in fences(text) if name), None)


def fences(text: str) -> list[str]:
    """The languages that closed blocks name."""
    return [name.lower() for name in FENCED.findall(text)]
