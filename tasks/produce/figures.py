"""The numbers that a text names, as values: 3,000 and 3千 and three thousand and 三千 are one.

Only digits are held against another text; what is spelled out counts where digits look for their like, because 一 and
"one" are said without a number being meant.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

SCALES = {"十": 1, "百": 2, "千": 3, "万": 4, "亿": 8, "hundred": 2, "thousand": 3, "k": 3, "million": 6, "billion": 9}
SCALED = re.compile(
    r"(?<![\d.])(\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"\s*(十|百|千|万|亿|(?:hundred|thousand|million|billion|k)\b)?(亿)?",
    re.I,
)
LISTED = re.compile(
    r"^[ \t]*(?:[-*•>][ \t]*)?[（(]?\d{1,2}(?:[)、．）]|\.(?!\d))", re.M
)  # an item's number is no figure
HAN_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
HAN = re.compile(rf"[{''.join(HAN_DIGITS)}十百千万亿]+")
NAMES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)
SMALL = (
    {w: i for i, w in enumerate(NAMES)}
    | {w: 10 * i for i, w in enumerate(TENS, 2)}
    | {w: i for names in (MONTHS, ORDINALS) for i, w in enumerate(names, 1)}
    | {w[:3]: i for i, w in enumerate(MONTHS, 1)}
    | {"once": 1, "twice": 2, "dozen": 12, "couple": 2, "single": 1, "double": 2}
)
WORD = re.compile(r"[a-z]+")


def changed(before: str, after: str) -> str:
    """The first number that is in digits on one side and in no form on the other; empty where there is none."""
    before, after = LISTED.sub(" ", before), LISTED.sub(" ", after)
    for one, other in ((before, after), (after, before)):
        lost = digits(one).keys() - named(other)
        if lost:
            return min(digits(one)[value] for value in lost)
    return ""


def digits(text: str) -> dict[Decimal, str]:
    """The values that are written in digits, and how they are written."""
    found = SCALED.finditer(unicodedata.normalize("NFKC", text))
    return {value(m[1], m[2], m[3]): m[0].strip() for m in found}


def value(number: str, scale: str | None, second: str | None = None) -> Decimal:
    power = sum(SCALES[s.lower()] for s in (scale, second) if s)
    return Decimal(number.replace(",", "")).scaleb(power).normalize()


def named(text: str) -> set[Decimal]:
    """Every value that a text names in whatever form; what can be read in two ways counts in both."""
    plain = unicodedata.normalize("NFKC", text).lower()
    raw = {Decimal(m[1].replace(",", "")).normalize() for m in SCALED.finditer(plain)}
    spelled = {Decimal(v).normalize() for run in HAN.findall(plain) for v in (counted(run), read_out(run))}
    return raw | digits(plain).keys() | spelled | {Decimal(v).normalize() for v in english(plain)}


def counted(run: str) -> int:
    """三千二百 as 3200."""
    total = section = digit = 0
    for c in run:
        if c in HAN_DIGITS:
            digit = HAN_DIGITS[c]
        elif SCALES[c] >= 4:
            total, section, digit = (total + section + digit or 1) * 10 ** SCALES[c], 0, 0
        else:
            section, digit = section + (digit or 1) * 10 ** SCALES[c], 0
    return total + section + digit


def read_out(run: str) -> int:
    """二〇二六 as 2026."""
    return int("".join(str(HAN_DIGITS[c]) for c in run if c in HAN_DIGITS) or 0)


def english(text: str) -> set[int]:
    """Every number word, and what neighbouring ones come to."""
    found: set[int] = set()
    total = run = 0
    for word in WORD.findall(text):
        if word in SMALL:
            run += SMALL[word]
            found |= {SMALL[word], total + run}
        elif word in SCALES:
            scaled = (run or 1) * 10 ** SCALES[word]
            total, run = (total, scaled) if SCALES[word] == 2 else (total + scaled, 0)
            found.add(total + run)
        elif word != "and":
            total = run = 0
    return found
