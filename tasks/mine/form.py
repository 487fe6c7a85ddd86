"""Rules of form: is it text, does it say anything, is it too short or too long, in which language.

A row tagged `robust` is written badly on purpose, so the rules that look at how a row is written let it pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.language import LETTER
from tasks.mine.ask import Ask
from tasks.text import units

FORMULA = re.compile(r"\d\s*[-+*/x×÷^=<>]\s*\d")


@dataclass(frozen=True, slots=True)
class NotText:
    """Images and sound that a text model cannot be asked about."""

    def __call__(self, ask: Ask) -> str | None:
        return "not_text" if "not_text" in ask.tags else None


@dataclass(frozen=True, slots=True)
class NoWords:
    """Punctuation, emoji or a lone number; a formula asks something."""

    def __call__(self, ask: Ask) -> str | None:
        return None if ask.robust or LETTER.search(ask.last) or FORMULA.search(ask.last) else "no_words"


@dataclass(frozen=True, slots=True)
class Length:
    """In words, or characters of Chinese: `least` of what is asked in a first turn, `most` of the conversation."""

    least: int = 3
    most: int = 8000

    def __call__(self, ask: Ask) -> str | None:
        formula = FORMULA.search(ask.last)
        if ask.turns == 1 and units(ask.last) < self.least and not (ask.robust or formula):
            return "too_short"
        return "too_long" if units(ask.everything) > self.most else None


@dataclass(frozen=True, slots=True)
class Language:
    """Only the languages that the team teaches."""

    languages: tuple[str, ...] = ("en", "zh")

    def __call__(self, ask: Ask) -> str | None:
        return None if ask.robust or ask.language in self.languages else "other_language"
