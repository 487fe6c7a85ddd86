"""Numbers as people write them, in both languages, as exact fractions with the unit that stands beside them.

Read are: 1,234.5 and １２; -3 and 负三; 3/4, 1 1/2, ½, \\frac{3}{4} and 三分之二; 5% and 百分之五; 1.2e3, 1.2×10^3 and
1.2 \\times 10^{3}; 1.5万, 3亿5千万 and 2 million; 一百二十, 三点五, 二〇二四; $18 and 18 元. A unit that is not in the
table (`units.py`) is left out.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from tasks.answer.units import UNITS
from tasks.hanzi import simplified

DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
PLACES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
WORDS = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
HAN = "零〇一二两三四五六七八九十百千万亿"
DECIMAL = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
ARABIC = re.compile(
    rf"(?P<sign>[-−]\s?)?(?P<coin>[$€£¥]\s?)?(?P<minus>[-−]\s?)?(?:(?P<whole>\d+)\s+(?=\d+/\d))?(?P<number>{DECIMAL})"
    r"(?:(?P<power>e[+-]?\d{1,3}(?![\d.\w]))|\s*[×x*]\s*10\s*(?:\^|\*\*)\s*[({]?(?P<ten>-?\d{1,3})[)}]?"
    rf"|\s*/\s*(?P<under>\d+(?:\.\d+)?)(?![\d/]))?(?P<places>[百千万亿](?:[\d{HAN}]*))?(?:\s*(?P<word>{'|'.join(WORDS)})s?\b)?",
    re.I,
)
COUNT = rf"[{HAN}]+(?:点[零〇一二三四五六七八九]+)?"
CHINESE = re.compile(
    rf"(?P<sign>负)?(?:(?:(?P<whole>{COUNT})又)?(?P<under>[{HAN}]+)分之(?P<over>{COUNT}|\d+(?:\.\d+)?)"
    rf"|(?P<half>一半)|(?P<number>(?<!第)(?!一[共起样定些般直旦切边种向])(?<!统)(?<!万)(?!十分){COUNT}))"
)
UNIT = re.compile(r"\s*(%|[A-Za-z]+|[\u4e00-\u9fff]{1,4})")
TEX = (
    (re.compile(r"\\[dt]?frac\s*\{([^{}]+)\}\s*\{([^{}]+)\}"), r" \1/\2"),
    (re.compile(r"\\[dt]?frac\s*(\d)\s*(\d)"), r" \1/\2"),
    (re.compile(r"\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\(?:times|cdot)(?![a-z])"), "×"),
    (re.compile(r"\\div(?![a-z])"), "÷"),
    (
        re.compile(r"\\(?:left|right|displaystyle|quad)(?![a-z])|\\[,;:! ()\[\]]|\{,\}(?=\d{3})"),
        lambda m: "," if m[0] == "{,}" else "",
    ),
    (re.compile(r"\\([%$])"), r"\1"),
    (re.compile(r"\*\*|__|`"), ""),
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, and what it is of: a name in `UNITS`, or nothing."""

    number: Fraction
    unit: str = ""

    def same(self, other: Quantity) -> bool:
        """Whether both say one thing. A unit on one side alone is left aside; a percentage beside a bare number may
        mean the share or the figure: 25 % is 25 and is 0.25."""
        mine, theirs = UNITS.get(self.unit), UNITS.get(other.unit)
        if mine and theirs:
            return mine[0] == theirs[0] and equal(self.number * mine[1], other.number * theirs[1])
        if (mine or theirs or ("",))[0] == "share":
            share, bare = (self, other) if mine else (other, self)
            return equal(share.number, bare.number) or equal(share.number / 100, bare.number)
        return equal(self.number, other.number)


def equal(one: Fraction, other: Fraction) -> bool:
    """Equal but for what a machine's decimals lose: one part in a hundred million."""
    return abs(one - other) <= max(abs(one), abs(other)) / 10**8


def plain(text: str) -> str:
    """The text in one width and script, without TeX."""
    text = unicodedata.normalize("NFKC", simplified(mixed(text))).replace("⁄", "/").replace("−", "-")
    for pattern, instead in TEX:
        text = pattern.sub(instead, text)
    return text


def mixed(text: str) -> str:
    """A vulgar fraction after a whole number with a space between: 1½ is 1 1/2, not 11/2."""
    return re.sub(r"(\d)(?=[¼-¾⅐-⅞])", r"\1 ", text)


def quantities(text: str) -> list[Quantity]:
    """Every number of a text made `plain`, in order; Chinese numerals only where no digit stands."""
    if found := [q for m in ARABIC.finditer(text) if (q := arabic(m, text))]:
        return found + [
            q for m in CHINESE.finditer(text) if m["under"] and m["over"] in DIGITS and (q := chinese(m, text))
        ]
    return [q for m in CHINESE.finditer(text) if (q := chinese(m, text))]


def arabic(found: re.Match[str], text: str) -> Quantity | None:
    number = Fraction(found["number"].replace(",", ""))
    if found["under"]:
        if not (under := Fraction(found["under"])):
            return None
        number = Fraction(found["whole"] or 0) + number / under
    exponent = int(found["ten"] or (found["power"] or "e0")[1:])
    number *= Fraction(10) ** exponent * WORDS.get((found["word"] or "").lower(), 1)
    if places := found["places"]:
        number = count(found["number"].replace(",", "") + places)
    negative = bool(found["sign"] and not attached(found, text)) or bool(found["minus"])
    unit = of(text, found.end()) or (found["coin"] or "").strip()
    return Quantity(-number if negative else number, unit)


def attached(found: re.Match[str], text: str) -> bool:
    """Whether a minus sign stands between two numbers or words: then it takes away, or joins."""
    return bool(text[: found.start()].rstrip()[-1:].isalnum())


def chinese(found: re.Match[str], text: str) -> Quantity | None:
    if found["half"]:
        return Quantity(Fraction(1, 2))
    sign = -1 if found["sign"] else 1
    if found["under"]:
        if not (under := count(found["under"])):
            return None
        over = count(found["over"])
        if found["under"] == "百":
            return Quantity(sign * over, "%")
        return Quantity(sign * ((count(found["whole"]) if found["whole"] else 0) + over / under), of(text, found.end()))
    return Quantity(sign * count(found["number"]), of(text, found.end()))


def count(text: str) -> Fraction:
    """A numeral of Chinese digits and places, in which digits may stand too: 三千零五十, 1.5万, 三点五, 一万五."""
    whole, _, decimals = text.partition("点")
    total = section = Fraction(0)
    current: Fraction | None = None
    place = 1  # of the digit that would follow with nothing said: 五 of 一万五 is five thousands
    for sign in re.findall(r"\d+(?:\.\d+)?|.", whole):
        if sign in DIGITS:
            current = (current or Fraction(0)) * 10 + DIGITS[sign]
            place = 1 if sign in "零〇" else place
        elif sign not in PLACES:
            current = Fraction(sign)
        elif sign in "万亿":
            section += current or (0 if section else 1)
            total = (total + section) * PLACES[sign] if sign == "亿" else total + section * PLACES[sign]
            section, current, place = Fraction(0), None, PLACES[sign] // 10
        else:
            section += (Fraction(1) if current is None else current) * PLACES[sign]
            current, place = None, PLACES[sign] // 10
    shortened = place > 1 and current is not None and 0 < current < 10
    total += section + (current or 0) * (place if shortened else 1)
    return total + sum(Fraction(DIGITS[d], 10 ** (i + 1)) for i, d in enumerate(decimals))


def of(text: str, at: int) -> str:
    """The known unit that stands at a place, the longest; empty where there is none."""
    if not (found := UNIT.match(text, at)):
        return ""
    word = found[1].lower() if found[1].isascii() else found[1]
    if word[0].isascii():
        return word if word in UNITS else ""
    return next((word[:n] for n in range(len(word), 0, -1) if word[:n] in UNITS), "")
