"""Lengths that a prompt states in plain words: 不少于200字, in at most three sentences, 100-150 words.

Found are bounds on the whole answer: not what describes a text that is given (一篇500字的文章), nor what bounds a part
of the answer (每段, each), nor what asks for about so many. A length can be set to other figures where it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tasks.constraint.counted import Counted, down, step, up
from tasks.constraint.length import Characters, Lines, Paragraphs, Sentences, Words

SPELLED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
DIGITS = "一二三四五六七八九"
PLACES = {"十": 10, "百": 100, "千": 1000, "万": 10000}
UNITS: dict[str, type[Counted]] = {
    "字符": Characters,
    "字": Words,
    "单词": Words,
    "句": Sentences,
    "段": Paragraphs,
    "行": Lines,
    "word": Words,
    "character": Characters,
    "sentence": Sentences,
    "paragraph": Paragraphs,
    "line": Lines,
}
ZH = r"(?<![\d.])(?:\d{1,6}|[一二两三四五六七八九十百千万]{1,7})"
EN = rf"(?<![\d.,])(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,6}}|\b(?:{'|'.join(SPELLED)})\b)"
STOP = r"(?=话|[，。；、,;\s）)]|\Z|[以之]内|以[上下])"
UNIT_ZH = rf"\s*个?(?:汉|英文)?(?P<unit>字符|字(?![母符典段])|单词|句{STOP}|段{STOP}|行)话?"
UNIT_EN = r"[\s-]+(?P<unit>word|character|sentence|paragraph|line)s?\b"
SHAPES = tuple(
    re.compile(shape.replace("ZH_UNIT", UNIT_ZH).replace("EN_UNIT", UNIT_EN), re.IGNORECASE)
    for shape in (
        rf"(?:不(?:得|要|能|可)?(?:少于|低于)|至少|最少|起码)(?:要?有|写满|写|要|为)?\s*(?P<least>{ZH})ZH_UNIT",
        rf"(?P<least>{ZH})ZH_UNIT(?:或?以上)",
        rf"(?P<least>{ZH})(?:个?[字词句段行]话?)?\s*[到至\-－–—~～]\s*(?P<most>{ZH})ZH_UNIT",
        rf"(?:不(?:得|要|能|可)?(?:超过|多于|超出|高于)|最多|至多)(?:写|用|为)?\s*(?P<most>{ZH})ZH_UNIT",
        rf"(?P<most>{ZH})ZH_UNIT(?:以内|之内|以下|内)",
        rf"(?:正好|恰好|刚好|整整)(?:写|用|为|是)?\s*(?P<exact>{ZH})ZH_UNIT",
        rf"\b(?:between\s+)?(?P<least>{EN})\s*(?:and|to|-|–|—)\s*(?P<most>{EN})EN_UNIT",
        rf"\b(?:at least|no fewer than|no less than|not less than|a minimum of)\s+(?P<least>{EN})EN_UNIT",
        rf"\b(?P<least>{EN})\s+or\s+moreEN_UNIT",
        rf"\b(?P<least>{EN})EN_UNIT\s+(?:or\s+more|min(?:imum)?)\b",
        rf"\b(?:at most|no more than|not more than|up to|a maximum of|within)\s+(?P<most>{EN})EN_UNIT",
        rf"\b(?P<most>{EN})EN_UNIT\s+(?:or\s+(?:less|fewer)|max(?:imum)?)\b",
        rf"\b(?:under|below|less than|fewer than)\s+(?P<beneath>{EN})EN_UNIT",
        rf"\b(?:exactly|precisely)\s+(?P<exact>{EN})EN_UNIT",
    )
)
OF_A_PART = re.compile(  # in the same clause: a length of something within the answer, or of a text that is given
    r"每|各|标题|题目|第[一二三四五六七八九十\d]|首段|末段|开头|结尾|原文|摘要后"
    r"|\b(?:each|every|per|title|headline|subject|heading|caption|first|last|opening|closing|original)\b",
    re.IGNORECASE,
)
AFTER = re.compile(r"\s*(?:(?:each|per|apiece)\b|的?(?:标题|题目|原文))", re.IGNORECASE)
CLAUSE = re.compile(r"[，。；！？\n;!?]|[.,:](?=\s)")


@dataclass(frozen=True, slots=True)
class Stated:
    """A length and the places of its figures, each as (what it bounds, start, end).

    They bound `least`, `most`, an `exact` number, or one that is not reached, `beneath`; a `bare` one (`bare.py`)
    is meant `roundly`.
    """

    length: Counted
    places: tuple[tuple[str, int, int], ...]

    def met(self, answer: str) -> bool:
        return self.length.holds(answer)

    def restated(self, answer: str) -> Stated | None:
        """With figures that the answer keeps; see `Constraint.restated`. An exact figure stays one."""
        there = self.length.count(answer)
        kinds = {name for name, _, _ in self.places}
        if self.met(answer) or not there:
            return self if self.met(answer) else None
        if "exact" in kinds:
            return replace(self, length=replace(self.length, least=there, most=there))
        if "beneath" in kinds:
            return replace(self, length=replace(self.length, most=up(there + 1) - 1))
        if "bare" in kinds:
            return replace(self, length=roundly(type(self.length), down(there))) if there > 1 else None
        other = self.length.restated(answer)
        return other and replace(self, length=other)

    def put(self, prompt: str) -> str:
        """The prompt with these figures in their places."""
        figures = {
            "least": self.length.least,
            "most": self.length.most,
            "exact": self.length.least,
            "beneath": (self.length.most or 0) + 1,
            "bare": (self.length.least + (self.length.most or 0)) // 2,
        }
        for name, start, end in sorted(self.places, key=lambda p: -p[1]):
            prompt = f"{prompt[:start]}{figures[name]}{prompt[end:]}"
        return prompt


def roundly(kind: type[Counted], figure: int) -> Counted:
    """A figure as people mean it who do not count: less than a round step is let pass on either side."""
    return kind(figure - step(figure) + 1, figure + step(figure) - 1)


def stated(prompt: str) -> list[Stated]:
    """The lengths that a prompt states, in the order of the text; none twice."""
    found: list[tuple[int, int, Stated]] = []
    for shape in SHAPES:
        for match in shape.finditer(prompt):
            apart = all(match.end() <= start or end <= match.start() for start, end, _ in found)
            one = of(match) if apart and not of_a_part(prompt, match) else None
            if one:
                found.append((match.start(), match.end(), one))
    return [one for _, _, one in sorted(found, key=lambda f: f[0])]


def of_a_part(prompt: str, match: re.Match[str]) -> bool:
    """Whether the clause around a match speaks of something that is not the whole answer."""
    clause = CLAUSE.split(prompt[: match.start()])[-1]
    return bool(OF_A_PART.search(clause) or AFTER.match(prompt, match.end()))


def of(match: re.Match[str]) -> Stated | None:
    """What a match says; None where its figures are no bound."""
    said = match.groupdict()
    kind = UNITS[said.pop("unit").lower()]
    figures = {name: number(value) for name, value in said.items()}
    least = figures.get("least", figures.get("exact", 0))
    most = figures.get("most", figures.get("exact", figures["beneath"] - 1 if "beneath" in figures else None))
    try:
        return Stated(kind(least, most), tuple((name, *match.span(name)) for name in figures))
    except ValueError:
        return None


def number(text: str) -> int:
    """A figure in digits, in English words up to ten, or in Chinese ones."""
    plain = text.replace(",", "").lower()
    if plain.isdigit():
        return int(plain)
    return SPELLED.index(plain) + 1 if plain in SPELLED else chinese(plain)


def chinese(text: str) -> int:
    """A number in Chinese figures below a hundred million: 两百五十, 一千二 (which is 1200), 三万."""
    whole = part = figure = 0
    last = 10
    for c in text.replace("两", "二"):
        if c in DIGITS:
            figure = DIGITS.index(c) + 1
            continue
        last = PLACES[c]
        if c == "万":
            whole, part = (part + figure) * last, 0
        else:
            part += (figure or 1) * last
        figure = 0
    return whole + part + figure * (last // 10)
