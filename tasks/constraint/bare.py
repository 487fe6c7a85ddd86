"""Lengths that a prompt states as a bare figure: in 200 words, a 500-word essay, 写一篇500字的作文, 用三句话.

Nobody counts these to the word, so one is kept by an answer that is less than a round step away (`counted.step`: 9 of
200 words, 4 of 50, none of 3); set anew, the figure is the round one that the answer reaches (189 words: 180).

A bare figure says less than "at least" does of what it counts, so it is only found where it can mean nothing but the
whole answer: after a word that asks for a text to be written, in a prompt that counts nothing else. Left alone are
lines and paragraphs, which mean something else in code and among headings, items (列出五条, five tips), which have no
form that code could count, and what asks for about so many.
"""

from __future__ import annotations

import re

from tasks.constraint.stated import EN, UNITS, ZH, Stated, number, of_a_part, roundly, stated

UNIT_EN = r"(?P<unit>word|character|sentence)"
ASKS = (
    r"\b(?:write|compose|draft|generate|create|produce|give|tell|explain|describe|summari[sz]e|sum up|answer|define|say"
    r"|outline|introduce|discuss|compare|respond|reply|retell|review)\b"
)
TEXT = (
    r"(?:essay|story|article|summary|poem|blog|post|speech|letter|e-?mail|report|review|text|piece|description|bio"
    r"|introduction|composition|explanation|tale|biography|monologue|reply|response|answer|overview)"
)
NO_MORE = r"(?!\s+(?:or|max|min|maximum|minimum|limit|of|from|at|each|per)\b)"
ASKS_ZH = r"(?:写|撰写|创作|编写|编|生成|拟|作)(?:一下|出|好)?(?:[一1]?\s*[篇段则封份个])?(?:字数|长度|篇幅)?(?:为|是)?"
DOES_ZH = (
    r"(?:来|去)?(?:简要|简单|简短|简洁|大致|详细)?地?"
    r"(?:概括|总结|介绍|描述|说明|讲|解释|回答|写|形容|评价|概述|阐述|归纳|说|表达)"
)
SHAPES = tuple(
    re.compile(shape, re.IGNORECASE)
    for shape in (
        rf"{ASKS}[^.;:!?\n]{{0,160}}?\b(?:in|using|with)\s+(?P<bare>{EN})\s+{UNIT_EN}s\b{NO_MORE}",
        rf"\b(?:cut|shorten|condense|trim|reduce|expand|extend)\b[^.;:!?\n]{{0,80}}?\bto\s+(?P<bare>{EN})\s+{UNIT_EN}s\b{NO_MORE}",
        rf",\s+(?P<bare>{EN})\s+{UNIT_EN}s(?=[.!]?\s*\Z)",
        rf"{ASKS}[^.,;:!?\n]{{0,40}}?\ban?\s+(?:[a-z]+\s+){{0,2}}(?P<bare>{EN})[\s-]+{UNIT_EN}\s+(?:[a-z-]+\s+){{0,4}}?{TEXT}\b",
        rf"\b(?:write|compose)\s+(?:(?:me|us)\s+)?(?P<bare>{EN})\s+{UNIT_EN}s\s+(?:about|on)\b",
        rf"{ASKS_ZH}\s*(?P<bare>{ZH})个?(?P<unit>字)的",
        rf"(?:\A|[，,。；;：:\s请只仅你来再就能])[用写]\s*(?P<bare>{ZH})个?(?P<unit>字|句)话?{DOES_ZH}",
        rf"(?:字数|篇幅|长度|要求|全文)(?:要求)?[为是：:]?\s*(?P<bare>{ZH})个?(?P<unit>字)(?=[，。；、,;\s）)]|\Z)",
        rf"[，,；;。]\s*(?P<bare>{ZH})个?(?P<unit>字)(?=[。！]?\s*\Z)",
    )
)
COUNTED = (
    re.compile(rf"{EN}[\s-]+(?:word|character|sentence|paragraph|line|letter|syllable)s?\b", re.IGNORECASE),
    re.compile(rf"{ZH}\s*个?(?:汉|英文)?(?:字|单词|句|段|行)"),
)
OF_CODE = re.compile(
    r"\b(?:code|functions?|scripts?|programs?|regex|sql|api|json|input|string)\b|代码|函数|程序|脚本|正则|接口",
    re.IGNORECASE,
)


def lengths(prompt: str) -> list[Stated]:
    """The lengths that a prompt states: its bounds, or the one bare figure."""
    return stated(prompt) or bare(prompt)


def bare(prompt: str) -> list[Stated]:
    """The bare figure of a prompt that has no other length; none where it may count something else."""
    if sum(len(unit.findall(prompt)) for unit in COUNTED) != 1 or OF_CODE.search(prompt):
        return []
    match = next((m for m in (shape.search(prompt) for shape in SHAPES) if m), None)
    if match is None or of_a_part(prompt, match) or not number(match["bare"]):
        return []
    kind = UNITS[match["unit"].lower()]
    return [Stated(roundly(kind, number(match["bare"])), (("bare", *match.span("bare")),))]
