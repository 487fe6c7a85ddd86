"""What a grown task must pass before it joins the pool: the filters of Self-Instruct, for both languages.

The likeness filter also knows what joined a moment ago, in this very round: BELLE's first scripts forgot that, and
near-duplicates of one batch came in together.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.language import detect
from tasks.produce.rouge import Known
from tasks.text import key, units

JOINS = ("", "")
OURS = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Task:
    """A task as a teacher wrote it: what is asked, the material that goes with it, and its answer."""

    instruction: str
    input: str = ""
    output: str = ""


@dataclass(slots=True)
class Screen:
    """Who joins in a language. `lengths` are the least and the most words, or characters of Chinese."""

    language: str
    lengths: tuple[int, int]
    cannot: re.Pattern[str]
    known: Known

    def screened(self, instructions: Sequence[str]) -> list[tuple[str, str]]:
        """For each in its order the reason why it stays out and a detail; one that joins is known from there on."""
        near, before = self.known.nearest(instructions), len(self.known.texts)
        return [self.joined(text, like, before) for text, like in zip(instructions, near, strict=True)]

    def joined(self, text: str, nearest: tuple[float, str], before: int) -> tuple[str, str]:
        if (wrong := self.wrong(text)) != JOINS:
            return wrong
        like, twin = max(nearest, self.known.nearest([text], since=before)[0])
        if like > self.known.cutoff:
            return "repeated", f"{like:.2f} alike: {twin[:200]}"
        self.known.add([text])
        return JOINS

    def wrong(self, text: str) -> tuple[str, str]:
        """What is wrong with an instruction by itself."""
        least, most = self.lengths
        if not least <= (long := units(text)) <= most:
            return ("too_short" if long < least else "too_long"), str(long)
        if found := self.cannot.search(key(text)):
            return "beyond_text", found[0]
        if (said := detect(text)) in OURS and said != self.language:
            return "wrong_language", said
        return JOINS


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Finds any of the words in a folded text: whole words where they are written with spaces."""
    return re.compile("|".join(rf"(?<![a-z0-9]){w}(?![a-z0-9])" if w.isascii() else w for w in map(re.escape, words)))


def faults(tasks: Sequence[Task]) -> list[str]:
    """For each task of one instruction the reason why it is none; "" where all is well."""
    outputs = defaultdict[str, set[str]](set)
    for task in tasks:
        outputs[key(task.input)].add(key(task.output))
    seen: set[Task] = set()
    return [fault(t, outputs[key(t.input)], seen) for t in tasks]


def fault(task: Task, outputs: set[str], seen: set[Task]) -> str:
    if not task.output:
        return "unanswered"
    if key(task.output) == key(task.input):
        return "echoed"
    if len(outputs) > 1:
        return "contradicted"
    if task in seen:
        return "repeated"
    seen.add(task)
    return ""
