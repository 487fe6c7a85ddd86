"""Spell clean prompts badly, as users do, so that a student learns to bear it; the answer is to be a normal one.

Document 002 asks for such rows: misspelled, unfinished, Chinese with pinyin and English in it, and with a tag of
their own, so that nobody takes them for dirt. The copy carries the tag `robust`, which every later step honours, and
the clean prompt as its parent. Nobody is asked here; the answering chain answers the copy like any prompt. Code,
addresses, numbers, placeholders and quoted text are never touched, nor is anything but the last user turn.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from tasks.language import LETTER
from tasks.produce.edit import Edit, apart, applied
from tasks.produce.typos_en import English
from tasks.produce.typos_zh import Chinese
from tasks.produce.verbatim import free
from tasks.record import ROBUST, Kind, Record
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.text import key, units

MARK = re.compile(r"[，。！？、；：…,.!?;:]")
TRIES = 20
LEAST_UNFINISHED = 10  # words, or characters of Chinese: less cannot be guessed when its end is gone


@dataclass(frozen=True, slots=True)
class Robust:
    """Each prompt and, beside it, badly spelled copies.

    A prompt in which nothing may be touched has no copy.

    `per_record`: copies of a prompt.
    `most`: share of a prompt's words (characters of Chinese) that is hit at most; at least one is.
    `english`: chance of each slip for a word of English; `unfinished` and `unpunctuated` are for a whole prompt.
    `chinese`: chance of each slip for a character of Chinese, of `pinyin` and `english` for a word; `unfinished` and
    `unpunctuated` are for a whole prompt.
    `misspellings`: a file of words with how they are misspelled, and with their English in Chinese text.
    `shapes`: a file of Chinese characters that look alike.
    """

    per_record: PositiveInt = 1
    most: Annotated[float, Field(ge=0, le=1)] = 0.2
    english: English = field(default_factory=English)
    chinese: Chinese = field(default_factory=Chinese)
    misspellings: str = "data/misspellings.yaml"
    shapes: str = "data/similar_shapes.yaml"
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "prompts"
    calls: ClassVar[str] = "none"
    shape: ClassVar[Literal["each"]] = "each"

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.misspellings, self.shapes)

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        outcome = Outcome.keeping(record)
        if ROBUST in record.tags or record.language not in ("en", "zh") or record.ask[-1].role != "user":
            return outcome
        before, seen = record.instruction, {key(record.instruction)}
        for _ in range(self.per_record):
            text, edits = self.misspelled(before, record.language, dice, seen)
            if not edits:
                outcome = outcome.noting("nothing_to_misspell")
                continue
            seen.add(key(text))
            said = ", ".join(f"{kind} x{n}" for kind, n in sorted(Counter(e.kind for e in edits).items()))
            tags = (*record.tags, ROBUST)
            outcome = outcome.making(
                record.derived("robust", record.asking(text), detail=said, tags=tags, input=record.input)
            )
        return outcome

    def misspelled(self, text: str, language: str, dice: Random, not_like: set[str]) -> tuple[str, Sequence[Edit]]:
        """A text that differs from those known, and what was done; no edits where none came of so many tries."""
        allowed = free(text)
        most = max(1, int(self.most * units(text)))
        for _ in range(TRIES):
            whole = list(self.of_the_whole(text, allowed, language, dice))
            slips = [e for e in self.slips(text, allowed, language, dice) if not touched(e, whole)]
            edits = sorted([*apart(slips, most, dice), *whole], key=lambda e: e.start)
            made = applied(text, edits)
            if edits and key(made) not in not_like and LETTER.search(made):
                return made, edits
        return text, ()

    def slips(self, text: str, allowed: Sequence[bool], language: str, dice: Random) -> Iterator[Edit]:
        if language == "zh":
            return self.chinese.edits(text, allowed, dice, self.misspellings, self.shapes)
        return self.english.edits(text, allowed, dice, self.misspellings)

    def of_the_whole(self, text: str, allowed: Sequence[bool], language: str, dice: Random) -> Iterator[Edit]:
        """Punctuation left out, or the end not written."""
        rates = self.chinese if language == "zh" else self.english
        if dice.random() < rates.unpunctuated:
            gap = " " if language == "zh" else ""
            for found in MARK.finditer(text):
                if allowed[found.start()]:
                    last = not text[found.end() : found.end() + 1].strip()
                    yield Edit(found.start(), found.end(), "" if last else gap, "unpunctuated")
        elif dice.random() < rates.unfinished and units(text) >= LEAST_UNFINISHED:
            cut = cut_at(text, language, dice)
            if all(allowed[cut:]):
                yield Edit(cut, len(text), "", "unfinished")


def touched(edit: Edit, others: Sequence[Edit]) -> bool:
    return any(edit.start <= o.end and o.start <= edit.end for o in others)


def cut_at(text: str, language: str, dice: Random) -> int:
    """Where a text breaks off: some way before its end, in the middle of a word."""
    return len(text.rstrip()) - (dice.randint(2, 5) if language == "zh" else dice.randint(4, 15))
