"""The equations of a worked solution: the way that it takes, and whether it reckons rightly.

Two solutions take one way where their equations are the same in the same order, however they are worded (Yuan et al.,
arXiv:2308.01825). An equation is a chain of arithmetic with `=` in it, in symbols, in TeX or between << and >>; words
and units beside the numbers are left out. One with letters for unknowns is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from tasks.answer.arithmetic import SIGNS, value
from tasks.answer.quantity import plain

MARKED = re.compile(r"<<[^<>\n]*>>")
GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
TIMES = re.compile(r"(?<=[\d)%\s])\s*[xX]\s*(?=[\s\d($])")
COINS = re.compile(r"[$€£¥]")
NAMED = r"(?:[^\W\d_]{2,}|[\u4e00-\u9fff])"  # a letter alone is an unknown, but for the units below
WORD = rf"{NAMED}(?:/(?:{NAMED}|[a-zA-Z]\b))?"  # mg/kg, km/h, 千米/小时
BRACKETED = re.compile(rf"(?<=[\d.%])\s*\({WORD}\)")
WORDS = re.compile(rf"(?<=[\d.)%])\s*{WORD}(?:[ -]{WORD}){{0,2}}\s*(?=[-+*/=)]|$)", re.M)
LETTER = re.compile(r"(?<=\d )([a-zA-Z])(?:/[a-zA-Z]{1,3})?\b(?!\s*\()")  # 300 g, 5 m/s
ALONE = re.compile(r"(?<![\w/])(?<!\d )[a-zA-Z](?!\w)")
SIDE = r"[\d.+\-*/()^% \t]*\d[\d.+\-*/()^% \t]*"
CHAIN = re.compile(rf"{SIDE}(?:[=≈]{SIDE})+")
STOPS = re.compile(r"^\s*(?:\.\s+)?|[\s.(]+$")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
SHARE = re.compile(r"(?<![\d.^])(\d+(?:\.\d+)?)%")
OPERATION = re.compile(r"[\d)%]\s*[-+*/^]\s*[\d(.-]")


@dataclass(frozen=True, slots=True)
class Equation:
    """One `=`: `text` is its form without spaces, numbers as short as they go; `holds` whether both sides agree."""

    text: str
    holds: bool


def equations(solution: str) -> tuple[Equation, ...]:
    """In the order of the solution; a chain a = b = c is two."""
    text = MARKED.sub("", solution) if CHAIN.search(tidied(MARKED.sub("", solution))) else solution
    found: list[Equation] = []
    text = tidied(text.replace("<<", "\n").replace(">>", "\n"))
    for chain in CHAIN.finditer(text):
        if partial(chain, text):
            continue
        sides = [STOPS.sub("", side) for side in re.split("[=≈]", chain[0])]
        pairs = pairwise(sides)
        found += [Equation(form(f"{a}={b}"), holds(a, b)) for a, b in pairs if OPERATION.search(a)]
    return tuple(found)


def partial(chain: re.Match[str], text: str) -> bool:
    """Whether an unknown stands right before or after: then it is a piece of something else."""
    before, after = text[: chain.start()].rstrip()[-1:], text[chain.end() :][:1]
    goes_on = chain[0].lstrip()[0] in "+-*/^)" and (before.isalpha() or before == ")")
    attached = after.isascii() and after.isalpha() and not chain[0][-1].isspace()
    return goes_on or attached or (before.isalpha() and chain[0][0] in "(^")


def way(solution: str) -> tuple[str, ...]:
    """The equations as what tells two ways apart."""
    return tuple(e.text for e in equations(solution))


def false(found: Sequence[Equation]) -> bool:
    """Whether one of them does not hold."""
    return any(not e.holds for e in found)


def tidied(text: str) -> str:
    """Signs in one form; no coins, no words between a number and the sign after it."""
    text = GROUPED.sub("", COINS.sub("", plain(text)).translate(SIGNS))
    text = unlettered(TIMES.sub("*", text))
    return WORDS.sub("", BRACKETED.sub("", text))


def unlettered(text: str) -> str:
    """Without units of one letter: those that stand behind a number and a space only; an unknown stands alone, too."""
    unknown = set(ALONE.findall(text))
    return LETTER.sub(lambda m: m[0] if m[1] in unknown else "", text)


def form(text: str) -> str:
    """Equal quantities in one spelling: 80% is 0.8, 0.80 and .8 too."""
    bare = re.sub(r"(?<!\d)\.(?=\d)", "0.", re.sub(r"\s+", "", text))
    shares = SHARE.sub(lambda m: format(Decimal(m[1]).scaleb(-2), "f"), bare)
    return NUMBER.sub(lambda m: shortest(m[0]), shares)


def shortest(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number.lstrip("0") or "0"


def holds(left: str, right: str) -> bool:
    """Whether both sides come to the same, up to the last decimal that is written. A side that is no arithmetic
    cannot be wrong; a percentage is a share or a figure, whichever fits."""
    ours, theirs = worths(left), worths(right)
    if not ours or not theirs:
        return True
    slack = Fraction(1, 10 ** max(decimals(left), decimals(right))) if "." in right or "/" in left else Fraction(0)
    return any(abs(a - b) <= slack for a in ours for b in theirs)


def worths(side: str) -> list[Fraction]:
    forms = (side.replace("%", "/100"), side.replace("%", " ")) if "%" in side else (side,)
    return [worth for one in forms if (worth := value(one)) is not None]


def decimals(side: str) -> int:
    """How many decimals its last number has."""
    last = NUMBER.findall(side)[-1:] or ["0"]
    return len(last[0].partition(".")[2])
