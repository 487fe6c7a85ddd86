"""Chinese verse: characters in a line (五言, 七言), and line ends that rhyme.

Ends rhyme by the thirteen rhyme groups of northern verse, whose finals differ in their medial alone; a character of
several readings rhymes by any of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from tasks.constraint.kind import Constraint, aspects
from tasks.constraint.length import lines
from tasks.text import CJK

CLAUSE_END = re.compile(r"[，。！？；、：,.!?;:\n]+")
HEAD = re.compile(r"^\s*(?:#.*|\**《[^《》]+》\**)\s*$", re.MULTILINE)
GROUPS = (
    ("a", "ia", "ua"),
    ("o", "e", "uo"),
    ("ie", "ve", "ê"),
    ("i", "v", "er"),
    ("u",),
    ("ai", "uai"),
    ("ei", "uei"),
    ("ao", "iao"),
    ("ou", "iou"),
    ("an", "ian", "uan", "van"),
    ("en", "in", "uen", "vn"),
    ("ang", "iang", "uang"),
    ("eng", "ing", "ueng", "ong", "iong"),
)
GROUP_OF = {final: number for number, finals in enumerate(GROUPS) for final in finals}
EVERY_LINE = 3  # of a poem of so many lines all must rhyme; of a longer one every second


@dataclass(frozen=True, slots=True)
class Meter(Constraint):
    """Every clause of the poem has so many characters; a title in a line of its own is none of it."""

    characters: int
    languages: ClassVar[tuple[str, ...]] = ("zh",)
    sets: ClassVar[frozenset[str]] = aspects("meter")
    needs: ClassVar[frozenset[str]] = aspects(
        "language", "layout", "headings", "opening", "ending", "emphasis", "tokens", "emoji", "size", "quotes", "commas"
    )

    def holds(self, text: str) -> bool:
        sizes = meter(text)
        return len(sizes) > 1 and set(sizes) == {self.characters}

    def nearest(self, text: str) -> Self | None:
        sizes = meter(text)
        return replace(self, characters=sizes[0]) if sizes else None


def meter(text: str) -> list[int]:
    """How many Han characters each clause has; one with anything else in it counts as none."""
    clauses = [c.strip() for c in CLAUSE_END.split(HEAD.sub("", text)) if c.strip()]
    return [len(c) if CJK.sub("", c) == "" else 0 for c in clauses]


@dataclass(frozen=True, slots=True)
class Rhyme(Constraint):
    """The last characters of the even lines rhyme; of a poem of two or three lines, those of all."""

    languages: ClassVar[tuple[str, ...]] = ("zh",)
    sets: ClassVar[frozenset[str]] = aspects("rhyme")
    needs: ClassVar[frozenset[str]] = aspects("language", "layout", "headings", "ending", "tokens")

    def holds(self, text: str) -> bool:
        ends = [CJK.findall(line)[-1:] for line in lines(HEAD.sub("", text))]
        wanted = ends if len(ends) <= EVERY_LINE else ends[1::2]
        groups = [rhymes(end[0]) if end else frozenset[int]() for end in wanted]
        return len(groups) > 1 and bool(frozenset.intersection(*groups))


def rhymes(character: str) -> frozenset[int]:
    """The rhyme groups of a character's readings."""
    from pypinyin import Style, pinyin

    finals = pinyin(character, style=Style.FINALS, heteronym=True, errors="ignore")
    return frozenset(GROUP_OF[f] for readings in finals for f in readings if f in GROUP_OF)
