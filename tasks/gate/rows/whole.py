"""Whether an answer ends where its writer meant to end: no open fence, and no sentence, list or table that breaks off.

Careful on purpose: a poem, a list, a name or a table may end without a mark. What counts is an end that no writer
chooses, and, in an answer that closes its other paragraphs with a mark, a last paragraph of prose without one.
"""

from __future__ import annotations

import re

from tasks.gate.rows.row import Row
from tasks.text import CJK, prose, units

LONG = 60
SENTENCE = 8
OTHERS = 2
HANGING = re.compile(
    r"[,，、(（\[【“「『《]\s*\Z"
    r"|(?<![A-Z])\b(?:the|an|of|and|or|with|for|from|that|which|is|are|because|but|if|such as)\s*\Z"
    r"|(?:因为|但是|而且|以及|或者|如果|和|与|及|例如|比如)\s*\Z"
)
LONGEST_HANGING = 16  # characters: the longest word of them, and the one before it
BARE_ITEM = re.compile(r"(?:\A|\n)[ \t]*(?:\d{1,3}[.)、．]|[-*+•])[ \t]*\Z")
NO_SENTENCE = re.compile(r"\s*(?:[-*+•#>|`~=$\\<\[(（【—–_]|\d{1,3}[.)、．:：]|[A-Za-z][.)]|\w{1,20}\s?[:：])")
ENDED = re.compile(
    r"(?:^|\s)(?:[#@]|\w+://)\S+\s*\Z|[.!?。！？…:：;；~～)）\]】}”\"'’」』》>*_`$|\\]\s*\Z|[^\w\s]\s*\Z"
)
LAST_SENTENCE = re.compile(r"[。！？!?]")
SIGNED = 20
MARK = re.compile(r"[，、；：,;:]")
PARTICLES = tuple("啦了吧呢吗哦呀哈啊的")
PAIRS = ("()", "（）", "“”", "「」", "『』", "《》", "【】")


def broken_fence(row: Row) -> str:
    return "a fence is open" if row.response.count("```") % 2 == 1 else ""


def truncated(row: Row) -> str:
    """The answer breaks off: says where."""
    if row.calls or row.task_type == "code" or units(row.response) < LONG:
        return ""
    text = prose(row.response).rstrip()
    if not text or row.response.rstrip().endswith(("```", "~~~")):
        return ""
    last = text[max(0, text.rfind("\n")) :]
    broken = BARE_ITEM.search(last) or HANGING.search(text[-LONGEST_HANGING:]) or cut_row(text) or cut_sentence(text)
    return text[-40:].strip() if broken else ""


def cut_row(text: str) -> bool:
    """The last row of a table lacks the edge that the one above it has."""
    if "|" not in text:
        return False
    *_, above, last = ["", *text.splitlines()] if "\n" in text else ["", "", text]
    return above.startswith("|") and above.rstrip().endswith("|") and last.startswith("|") and not last.endswith("|")


def cut_sentence(text: str) -> bool:
    """The last paragraph is prose without a mark at its end, or within a bracket or quote, and the others have one."""
    lines = [line for line in text.splitlines() if line.strip()]
    last = lines[-1]
    if ENDED.search(last[-1:]) or ENDED.search(last) or not sentence(last):  # most end with a mark, seen at once
        return False
    others = [line for line in lines[:-1] if sentence(line)]
    tail = LAST_SENTENCE.split(last)[-1]
    if CJK.match(tail[-1:]) and (units(tail) < SENTENCE or tail.endswith(PARTICLES) or signature(text, last)):
        return False
    ended = sum(bool(ENDED.search(line)) for line in others)
    inside = any(last.rfind(pair[0]) > last.rfind(pair[1]) for pair in PAIRS)
    return ended == len(others) and (len(others) >= OTHERS or inside)


def signature(text: str, last: str) -> bool:
    """A last line of its own that names somebody: short, and no mark in it."""
    alone = text.rstrip().endswith("\n\n" + last)
    return alone and units(last) <= SIGNED and not MARK.search(last)


def sentence(line: str) -> bool:
    """Whether a line reads as prose: no heading, no item, nothing that is over in a few words."""
    return not NO_SENTENCE.match(line) and units(line) >= SENTENCE
