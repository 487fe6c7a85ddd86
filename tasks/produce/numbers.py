"""Numbers as values, however they are written: `1,200`, `12万`, `一百二十`, `twenty-one`."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

COUNTED = 10  # numbers up to this that are written in words count things more often than they state a fact
DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
SCALES = {"十": 10, "百": 100, "千": 1000}
MYRIADS = {"万": 10**4, "亿": 10**8}
FIGURE = re.compile(
    r"(?<![\w.])(\d{1,3}(?:,\d{3})+(?!\d)|\d+)(\.\d+)?\s?([万亿]|thousand\b|million\b|billion\b)?", re.I
)
HAN = re.compile(r"[一二两三四五六七八九十][零〇一二两三四五六七八九十百千万亿]+")
WORDS = {
    w: n
    for n, w in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
TENS = {
    w: 10 * n for n, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
LARGE = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
SPELLED = re.compile(rf"\b(?:(?:{'|'.join([*WORDS, *TENS, *LARGE])})\b(?:[\s-]+(?:and\s+)?)?)+", re.I)


def numbers(text: str) -> dict[str, str]:
    """Each number's value as text, and how it is written; small ones that are written in words are left out."""
    folded = unicodedata.normalize("NFKC", text)
    found: dict[str, str] = {}
    for figure in FIGURE.finditer(re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_万亿])", " ", folded)):
        scale = {**MYRIADS, **LARGE}.get((figure[3] or "").lower(), 1)
        value = Decimal(figure[1].replace(",", "") + (figure[2] or "")) * scale
        found.setdefault(plain(value), figure[0].strip())
    for value, written in (*map(han, HAN.findall(folded)), *map(spelled, SPELLED.findall(folded))):
        if value > COUNTED:
            found.setdefault(plain(Decimal(value)), written)
    return found


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def han(text: str) -> tuple[int, str]:
    """A Chinese numeral's value; digits in a row, as in a year, are read one by one."""
    if all(c in DIGITS for c in text):
        return int("".join(str(DIGITS[c]) for c in text)), text
    whole = part = digit = 0
    for c in text:
        if c in DIGITS:
            digit = DIGITS[c]
        elif c in SCALES:
            part, digit = part + (digit or 1) * SCALES[c], 0
        else:
            whole, part, digit = (whole + part + digit) * MYRIADS[c], 0, 0
    return whole + part + digit, text


def spelled(text: str) -> tuple[int, str]:
    """The value of a number in English words; of `hundreds of` and the like, none."""
    whole = part = 0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word == "hundred":
            part *= 100
        elif word in LARGE:
            whole, part = whole + part * LARGE[word], 0
        else:
            part += WORDS.get(word, TENS.get(word, 0))
    return whole + part, text.strip()
