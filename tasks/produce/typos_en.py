"""Slips of English typing and spelling, each with its rate for a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from random import Random

import yaml

from tasks.produce.edit import Edit
from tasks.produce.figures import SMALL
from tasks.recipe import located

WORD = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")
PLAIN = re.compile(r"[A-Z]?[a-z]+(?:['’][a-z]+)?|I")
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
DROPPED = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "at",
        "for",
        "is",
        "are",
        "was",
        "do",
        "does",
        "it",
        "that",
        "and",
        "or",
        "with",
        "my",
        "me",
        "be",
        "this",
    ]
)
SOUNDS = (
    ("ie", "ei"), ("ei", "ie"), ("ible", "able"), ("able", "ible"), ("ance", "ence"), ("ence", "ance"),
    ("ant", "ent"), ("ph", "f"), ("ough", "uf"), ("tion", "sion"), ("ss", "s"), ("ll", "l"), ("mm", "m"), ("cc", "c"),
    ("tt", "t"), ("nn", "n"), ("rr", "r"), ("ck", "k"), ("wh", "w"), ("kn", "n"), ("ea", "ee"), ("ary", "ery"),
    ("ous", "us"), ("que", "k"), ("ight", "ite"), ("ar", "er"), ("or", "er"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class English:
    """Chances of each word for a slip of this kind; `unfinished` and `unpunctuated` are for a whole prompt."""

    neighbour: float = 0.025
    swapped_letters: float = 0.02
    dropped_letter: float = 0.02
    doubled_letter: float = 0.015
    phonetic: float = 0.06
    dropped_word: float = 0.02
    unfinished: float = 0.1
    unpunctuated: float = 0.3

    def edits(self, text: str, free: Sequence[bool], dice: Random, file: str) -> Iterator[Edit]:
        """What is hit, of every word that may be."""
        spelled, slips = read(file), [f.name for f in fields(self)[:6]]
        for found in WORD.finditer(text):
            start, end = found.span()
            if not all(free[start:end]) or not PLAIN.fullmatch(found[0]) or found[0].lower() in SMALL:
                continue
            for kind in slips:
                if dice.random() < getattr(self, kind):
                    new = slip(kind, found[0], dice, spelled)
                    if new != found[0]:
                        after = end + 1 if not new and text[end : end + 1] == " " else end
                        yield Edit(start, after, new, kind)
                        break


def slip(kind: str, word: str, dice: Random, spelled: dict[str, list[str]]) -> str:
    """The word after a slip; the word itself where it has no place for one."""
    if kind == "phonetic":
        return phonetic(word, dice, spelled)
    if kind == "dropped_word":
        return "" if word.lower() in DROPPED else word
    if len(word) < 4:
        return word
    at = dice.randrange(1, len(word) - 1)  # people notice the first letter
    return word[:at] + LETTERS[kind](word[at : at + 2], dice) + word[at + 2 :]


LETTERS = {
    "neighbour": lambda two, dice: dice.choice(neighbours(two[0]) or two[0]) + two[1],
    "swapped_letters": lambda two, dice: two[::-1],
    "dropped_letter": lambda two, dice: two[1],
    "doubled_letter": lambda two, dice: two[0] + two,
}
"""What becomes of two letters inside a word."""


def neighbours(letter: str) -> str:
    """The keys around a key of a QWERTY keyboard."""
    for y, row in enumerate(ROWS):
        x = row.find(letter)
        if x >= 0:
            around = [(y, x - 1), (y, x + 1), (y - 1, x), (y - 1, x + 1), (y + 1, x - 1), (y + 1, x)]
            return "".join(ROWS[v][u] for v, u in around if 0 <= v < 3 and 0 <= u < len(ROWS[v]))
    return ""


def phonetic(word: str, dice: Random, spelled: dict[str, list[str]]) -> str:
    """As it sounds: a spelling that people are known to use, or one sound of it written another way."""
    known = spelled.get(word.lower())
    if known:
        return like(word, dice.choice(known))
    fitting = [(a, b) for a, b in SOUNDS if a in word[1:]]
    if len(word) < 5 or not fitting:
        return word
    old, new = dice.choice(fitting)
    return word[0] + word[1:].replace(old, new, 1)


def like(word: str, new: str) -> str:
    return new.capitalize() if word[0].isupper() and word != "I" else new


@cache
def read(file: str) -> dict[str, list[str]]:
    """Known misspellings, by the word."""
    return {
        w: list(map(str, wrong)) for w, wrong in yaml.safe_load(located(file).read_text("utf-8"))["english"].items()
    }
