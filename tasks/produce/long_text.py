"""A long text as code sees it: its length, its sentences, its parts under their headings, and where a term occurs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from tasks.text import CJK, units

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HEADING = re.compile(
    r"^(?:#{1,6}[ \t]+(?P<marked>\S.*?)"
    r"|(?P<named>第[一二三四五六七八九十百零〇\d]{1,5}[编篇部章节回](?:[ \t　].{1,40})?"
    r"|(?:Part|Chapter|Section|CHAPTER) [\dIVXLC]+\b.{0,60}|\d{1,2}\. [^.。]{1,60}))[ \t]*$",
    re.M,
)
SENTENCE_END = re.compile(r"(?<=[。！？])(?![”’」』）])|(?<=[.!?])(?=\s+[A-Z])|\n+")


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and the text below it, to the next heading."""

    title: str
    text: str


def length(text: str, tokenizer: str = "") -> int:
    """Words and Chinese characters, or the tokens of a tokenizer.json."""
    return len(tokens(tokenizer).encode(text, add_special_tokens=False)) if tokenizer else units(text)


@cache
def tokens(path: str) -> Tokenizer:
    from tokenizers import Tokenizer

    from tasks.recipe import located

    made = Tokenizer.from_file(str(located(path)))
    made.no_truncation()
    return made


def boundaries(text: str) -> list[int]:
    """Where a sentence or a line ends, but for the very end."""
    return sorted({m.end() for m in SENTENCE_END.finditer(text) if text[: m.end()].strip() and text[m.end() :].strip()})


def window(text: str, longest: int, start: float, tokenizer: str = "") -> str:
    """The text, or where it is longer than allowed one stretch of it, whole sentences, beginning about at `start`
    (0 to 1) of what can be a beginning."""
    whole = length(text, tokenizer)
    if whole <= longest:
        return text
    ends = [0, *boundaries(text), len(text)]
    room = len(text) * longest / whole
    first = min(ends, key=lambda e: abs(e - start * (len(text) - room)))
    last = max((e for e in ends if first < e <= first + room), default=first)
    while last > first and length(text[first:last], tokenizer) > longest:
        last = max((e for e in ends if first < e < last), default=first)
    return text[first:last].strip()


def inserted(text: str, sentence: str, depth: float) -> str:
    """The text with a sentence at the boundary that is nearest to `depth` (0 to 1)."""
    at = min([0, *boundaries(text), len(text)], key=lambda e: abs(e - depth * len(text)))
    before, after = text[:at], text[at:]
    joint = "" if CJK.search(sentence) or not before or before.endswith("\n") else " "
    gap = "" if CJK.search(sentence) or not after or after[0].isspace() else " "
    return f"{before}{joint}{sentence}{gap}{after}"


def parts(text: str) -> list[Part]:
    """The parts whose headings occur once: only these can be named."""
    found = list(HEADING.finditer(text))
    ends = [*(m.start() for m in found[1:]), len(text)][: len(found)]
    made = [
        Part((m["marked"] or m["named"]).strip(), text[m.end() : e].strip()) for m, e in zip(found, ends, strict=True)
    ]
    titles = [part.title for part in made]
    return [part for part in made if part.text and titles.count(part.title) == 1]


def occurrences(text: str, term: str) -> int:
    """How often a term occurs: as whole words whatever their case, or as these Chinese characters."""
    if CJK.search(term):
        return text.count(term)
    return len(re.findall(rf"(?<!\w){re.escape(term)}(?!\w)", text, re.I))


def places(text: str, found: Sequence[Part], term: str) -> list[str]:
    """The titles of the parts in which a term occurs, the title itself included; none where it stands elsewhere, too:
    before the first heading, in one without a text such as the document's own, or under one that occurs twice."""
    times = {part.title: occurrences(f"{part.title}\n{part.text}", term) for part in found}
    whole = sum(times.values()) == occurrences(text, term)
    return [title for title, often in times.items() if often] if whole else []
