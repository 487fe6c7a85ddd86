"""Telephone numbers in a text: what phonenumbers takes for one, and shapes that people write and it does not know.

phonenumbers knows which numbers are assigned; a number with a word such as "call me at" or 电话 before it, or in a
shape that nothing else has, is somebody's all the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

REGIONS = {"zh": ("CN", "US"), "en": ("US", "CN"), "other": ("US", "CN")}
DIGITS = re.compile(r"(?:\d[^\w\n]{0,2}){7}")
NUMERALS = "零〇一二三四五六七八九幺两"
SPOKEN = re.compile(rf"(?<![{NUMERALS}])[一幺][三四五六七八九][{NUMERALS}]{{9}}(?![{NUMERALS}十百千万])")
SPOKEN_HERE = re.compile(r"[一幺][三四五六七八九]")  # finds its place faster than a pattern that looks behind first
SPACED = re.compile(r"(?<![\d ,.])1 [3-9](?: \d){9}(?! ?\d)")
NORTH_AMERICA = re.compile(
    r"(?<![\w.+/-])(?:\+?1[-. ]|001-)?(?:\(\d{3}\) ?|\d{3}([-.]))\d{3}(?:\1|-)\d{4}(?!(?!x\d)[\w/]|[.-]\d)"
)
CHINA_LANDLINE = re.compile(r"(?<![\d.-])(?:(?:\+|00)86[- ]?)?0?[1-9]\d{1,2}-[2-8]\d{6,7}(?!\d)")
ABROAD = re.compile(r"(?<![\w+])\+\d{1,3}[ -]?(?:\(0\) ?)?\d{1,4}(?:[ -]\d{2,4}){1,4}(?!(?!x\d)\w|-\d)")
LOOSE = re.compile(r"(?<![\w.+-])(?:\+|00)?\(?\d{1,4}\)?(?:[ .-]?\(?\d{2,4}\)?){1,5}(?!(?!x\d)\w|[.-]\d)")
EXTENSION = re.compile(r" ?(?:转|x|ext\.? ?|-)(\d{2,6})(?![\d-])", re.I)
DATE = re.compile(r"(?:1[89]|20)\d\d[ ./-]\d{1,2}[ ./-]\d{1,2}\b|\d{1,2}[ ./-]\d{1,2}[ ./-](?:1[89]|20)\d\d\b")
NAMED = r"phone|tel|telephone|mobile|cell|fax|whatsapp|hotline|电话|手机|座机|热线|传真|致电|拨打"
CUE = re.compile(
    rf"(?:(?:{NAMED}|\b(?:call|reach|ring|text|answering))(?: (?:me|us|him|her|them))?(?: number)?(?: is| at| on)?"
    r"|messages to)(?:号码|号)?[\s:：,，是为(（#]{0,6}$",
    re.I,
)
# (1608 – 1672), 231 / 1048576, and the seventh line of a list.
NO_PHONE = re.compile(r"\D*1\d{3}\s?[–—-]\s?[12]\d{3}\D*|\d+ ?/ ?\d+|\d{1,2}\.\s+\d+")
BARE_CUE = re.compile(rf"(?:{NAMED}|call|text)\W{{0,12}}$", re.I)
NAMED_AFTER = re.compile(r"[ -]{1,2}(?:office|fax|mobile|desk|home|cell)\b", re.I)


def phones(text: str, language: str) -> Iterator[tuple[int, int]]:
    """Start and end of each telephone number, extension included; what phonenumbers says first, so some overlap.

    `text` has its full-width digits as they are or folded, both are read.
    """
    if SPOKEN_HERE.search(text):
        yield from (match.span() for match in SPOKEN.finditer(text))
    if not DIGITS.search(text):
        return
    for start, end in [*shaped(text), *assigned(text, language)]:
        more = EXTENSION.match(text, end)
        yield start, more.end() if more else end


def shaped(text: str) -> Iterator[tuple[int, int]]:
    """Numbers by their shape, or by the word before or behind them."""
    from phonenumbers import NumberParseException, is_possible_number, is_valid_number, parse

    for pattern in (SPACED, NORTH_AMERICA):
        yield from (match.span() for match in pattern.finditer(text))
    for pattern, verdict in ((CHINA_LANDLINE, is_valid_number), (ABROAD, is_possible_number)):
        for match in pattern.finditer(text):
            try:
                if verdict(parse(match[0], "CN")):
                    yield match.span()
            except NumberParseException:
                continue
    for match in LOOSE.finditer(text):
        digits = sum(c.isdigit() for c in match[0])
        cued = CUE.search(text, max(0, match.start() - 40), match.start()) or NAMED_AFTER.match(text, match.end())
        if 7 <= digits <= 15 and cued and not match[0].isdigit() and not DATE.search(match[0]):
            yield match.span()


def assigned(text: str, language: str) -> Iterator[tuple[int, int]]:
    """Numbers that phonenumbers knows to be assigned, where they are written like one."""
    from phonenumbers import Leniency, PhoneNumberMatcher

    for region in REGIONS[language]:
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID):
            if written_as_one(match.raw_string, text[max(0, match.start - 24) : match.start]):
                yield match.start, match.end


def written_as_one(raw: str, before: str) -> bool:
    """A valid number that people also write as one: bare digits only for mobile numbers of China and after a cue.

    Ten bare digits are as often an order, a sum or a time in seconds since 1970.
    """
    raw = re.sub(r"\s*(?:转|x|ext\.?)\s*\d+$", "", unicodedata.normalize("NFKC", raw), flags=re.I)
    if NO_PHONE.fullmatch(raw):
        return False
    digits = re.sub(r"\D", "", raw)
    if re.fullmatch(r"(?:86)?1[3-9]\d{9}", digits) or raw.lstrip().startswith("+"):
        return True
    if raw.strip().isdigit():
        return bool(BARE_CUE.search(before))
    groups = re.findall(r"\d+", raw)
    return 2 <= len(groups) <= 5 and all(len(g) > 2 for g in groups[1:])
