"""Punctuation, emoji, and the language of an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from tasks.constraint.counted import Counted
from tasks.constraint.kind import Constraint, aspects
from tasks.language import detect
from tasks.text import CJK, prose

COMMA = re.compile(r"[,，、]")
HALF_WIDTH = re.compile(rf"(?<={CJK.pattern})\s*[,;!?:.(]|[,;!?:(]\s*(?={CJK.pattern})")
CURLY, CORNER, STRAIGHT = re.compile(r"[“”]"), re.compile(r"[「」『』]"), re.compile(r"[\"＂]")
FIRST_PICTURE = 0x231A  # below it stand marks such as © and ↔ that are text to a reader


@dataclass(frozen=True, slots=True)
class NoCommas(Constraint):
    """No comma of any width, and no 、."""

    sets: ClassVar[frozenset[str]] = aspects("commas")
    bans: ClassVar[bool] = True

    def holds(self, text: str) -> bool:
        return not COMMA.search(text)


@dataclass(frozen=True, slots=True)
class FullWidth(Constraint):
    """Marks beside Han characters are full-width; code is left out."""

    languages: ClassVar[tuple[str, ...]] = ("zh",)
    sets: ClassVar[frozenset[str]] = aspects("marks")
    needs: ClassVar[frozenset[str]] = aspects("language")
    bans: ClassVar[bool] = True

    def holds(self, text: str) -> bool:
        return not HALF_WIDTH.search(prose(text))


@dataclass(frozen=True, slots=True)
class ChineseQuotes(Constraint):
    """What is quoted stands in quotes of this style, “” or 「」, at least once, and in no other."""

    style: str
    languages: ClassVar[tuple[str, ...]] = ("zh",)
    sets: ClassVar[frozenset[str]] = aspects("quotes")
    needs: ClassVar[frozenset[str]] = aspects("language")

    def holds(self, text: str) -> bool:
        plain = prose(text)
        own, other = (CORNER, CURLY) if self.style == "「」" else (CURLY, CORNER)
        return (
            self.style in ("“”", "「」")
            and bool(own.search(plain))
            and not (other.search(plain) or STRAIGHT.search(plain))
        )

    def nearest(self, text: str) -> Self | None:
        return replace(self, style="“”" if self.style == "「」" else "「」")


@dataclass(frozen=True, slots=True)
class Emoji(Counted):
    """Emoji, each sequence once; `most` of 0 for none at all."""

    sets: ClassVar[frozenset[str]] = aspects("emoji")

    def count(self, text: str) -> int:
        from emoji import emoji_list

        return sum(ord(found["emoji"][0]) >= FIRST_PICTURE or "\ufe0f" in found["emoji"] for found in emoji_list(text))


@dataclass(frozen=True, slots=True)
class InLanguage(Constraint):
    """The answer is in this language, whatever the question's: `en` or `zh`."""

    language: str
    sets: ClassVar[frozenset[str]] = aspects("language")

    def holds(self, text: str) -> bool:
        return detect(text) == self.language

    def nearest(self, text: str) -> Self | None:
        found = detect(text)
        return replace(self, language=found) if found in ("en", "zh") else None
