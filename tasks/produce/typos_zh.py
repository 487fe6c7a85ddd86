"""Slips of Chinese typing: characters that sound or look alike, pinyin and English in the middle of a sentence.

Most Chinese is typed by sound, so most slips are homophones. How often the tone is right, wrong, or the sound only
near (n for l, in for ing, z for zh) follows the SIGHAN 2015 spelling set (`python -m benchmarks.typos`). Readings and
words come from pypinyin's tables; a character is a candidate where it stands in the first level of GB 2312 (3755 in
everyday use), and the more of pypinyin's words it stands in, the likelier.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

import yaml

from tasks.produce.edit import Edit
from tasks.recipe import located
from tasks.text import CJK

SHARES = {"same": 0.60, "tone": 0.31, "fuzzy": 0.09}  # of the slips by sound in SIGHAN 2015
TONES = frozenset("\u0300\u0301\u0304\u030c")
NEAR = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"))
LONGEST = 4
NEGATIONS = frozenset("不没别无未非莫勿")  # without one, a prompt asks for the opposite
COMMON = 1.6  # how much likelier the commoner character is, to this power; fitted to the same set


@dataclass(frozen=True, slots=True)
class Chinese:
    """Chances for each character to be hit by a slip of this kind, and for each word to stand in pinyin or English;
    `unfinished` and `unpunctuated` are for a whole prompt."""

    homophone: float = 0.042
    similar_shape: float = 0.004
    swapped_characters: float = 0.003
    dropped_character: float = 0.008
    pinyin: float = 0.03
    english: float = 0.08
    unfinished: float = 0.1
    unpunctuated: float = 0.3

    def edits(self, text: str, free: Sequence[bool], dice: Random, spelled: str, shapes: str) -> Iterator[Edit]:
        """What is hit, of every word and character that may be."""
        alike, foreign = read_shapes(shapes), read_foreign(spelled)
        for start, end in words(text, free, read_words(spelled)):
            word = text[start:end]
            if word in foreign and dice.random() < self.english:
                yield Edit(start, end, foreign[word], "english")
            elif len(word) > 1 and dice.random() < self.pinyin:
                yield Edit(start, end, spelled_out(word), "pinyin")
        for at in (i for i, c in enumerate(text) if free[i] and CJK.match(c)):
            if new := drawn(homophones(text[at]), self.homophone, dice):
                yield Edit(at, at + 1, new, "homophone")
            elif new := drawn({"": dict.fromkeys(alike.get(text[at], ""), 1.0)}, self.similar_shape, dice):
                yield Edit(at, at + 1, new, "similar_shape")
            elif text[at] not in NEGATIONS and dice.random() < self.dropped_character:
                yield Edit(at, at + 1, "", "dropped_character")
            elif dice.random() < self.swapped_characters and swappable(text, free, at):
                yield Edit(at, at + 2, text[at + 1] + text[at], "swapped_characters")


def swappable(text: str, free: Sequence[bool], at: int) -> bool:
    after = text[at + 1 : at + 2]
    return bool(CJK.match(after)) and free[at + 1] and after != text[at]


def drawn(candidates: dict[str, dict[str, float]], rate: float, dice: Random) -> str:
    """A candidate at this rate, by kind and weight; empty where none is drawn."""
    if dice.random() >= rate:
        return ""
    shares = {kind: SHARES.get(kind, 1.0) for kind, found in candidates.items() if found}
    if not shares:
        return ""
    found = candidates[dice.choices(list(shares), list(shares.values()))[0]]
    return dice.choices(list(found), list(found.values()))[0]


def words(text: str, free: Sequence[bool], known: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Where the text's words stand: the longest that are known, else a character by itself."""
    at = 0
    while at < len(text):
        ends = (e for e in range(min(at + LONGEST, len(text)), at + 1, -1) if text[at:e] in known)
        end = next((e for e in ends if all(free[at:e])), at + 1)
        if free[at] and CJK.match(text[at]):
            yield at, end
        at = end


def spelled_out(word: str) -> str:
    """A word in pinyin without tones, as it is typed."""
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(word)).replace("ü", "v")


@cache
def homophones(character: str) -> dict[str, dict[str, float]]:
    """Characters that sound alike in their usual reading, by how closely, with their weights."""
    found: dict[str, dict[str, float]] = {}
    taken = {character}
    for kind, heard in HEARD.items():
        first = readings(character)[:1]
        alike = [c for r in first for c in by_sound(kind).get(heard(r), ()) if c not in taken]
        found[kind] = {c: everyday()[c] ** COMMON for c in alike}
        taken |= set(alike)
    return found


@cache
def by_sound(kind: str) -> dict[str, list[str]]:
    """Characters in everyday use by the sound of their usual reading, as closely as `kind` listens."""
    index: dict[str, list[str]] = defaultdict(list)
    for c in everyday():
        index[HEARD[kind](readings(c)[0])].append(c)
    return index


def sound(one: str, other: str) -> str:
    """How alike two characters sound in any reading: `same`, `tone` (another tone), `fuzzy` (nearly), or empty."""
    for kind, heard in HEARD.items():
        if {heard(r) for r in readings(one)} & {heard(r) for r in readings(other)}:
            return kind
    return ""


@cache
def readings(character: str) -> tuple[str, ...]:
    from pypinyin.pinyin_dict import pinyin_dict

    return tuple(filter(None, pinyin_dict.get(ord(character), "").split(",")))


@cache
def toneless(reading: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", reading) if c not in TONES)


@cache
def near(reading: str) -> str:
    """A reading without what many do not tell apart."""
    heard = toneless(reading)
    for long, short in NEAR:
        heard = heard.replace(long, short)
    return "n" + heard[1:] if heard.startswith("l") else heard


HEARD: dict[str, Callable[[str], str]] = {"same": str, "tone": toneless, "fuzzy": near}


@cache
def everyday() -> dict[str, int]:
    """Characters in everyday use, and in how many of pypinyin's words each stands."""
    from pypinyin.phrases_dict import phrases_dict

    seen = Counter(c for word in phrases_dict for c in set(word))
    first = (bytes([high, low]) for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF))
    known = (pair.decode("gb2312", "ignore") for pair in first)
    return {c: seen[c] + 1 for c in known if c}


@cache
def read_shapes(file: str) -> dict[str, str]:
    """For each character those that look like it."""
    alike: dict[str, set[str]] = defaultdict(set)
    for group in yaml.safe_load(located(file).read_text("utf-8"))["groups"]:
        for c in group:
            alike[c] |= set(group) - {c}
    return {c: "".join(sorted(others)) for c, others in alike.items()}


@cache
def read_words(file: str) -> frozenset[str]:
    """The words that may stand in pinyin, in English, or that pypinyin knows."""
    from pypinyin.phrases_dict import phrases_dict

    ours = yaml.safe_load(located(file).read_text("utf-8"))
    return frozenset({*phrases_dict, *ours["typed_in_pinyin"].split(), *ours["said_in_english"]})


@cache
def read_foreign(file: str) -> dict[str, str]:
    """Chinese words that are often said in English."""
    return yaml.safe_load(located(file).read_text("utf-8"))["said_in_english"]
