"""Chinese punctuation: full-width marks and paired quotes (document 002: down to the quote mark).

Counted are the marks that stand in Chinese: behind or before a Han character, outside code, formulas and
addresses. Half-width ones, straight quotes and quotes or brackets without their other half are loose.
"""

from __future__ import annotations

import re

from tasks.gate.rows.row import Row
from tasks.text import CJK, prose

FEWEST_MARKS = 4
NOT_PROSE = re.compile(
    r"[\[{]\s*(?:[\[{]\s*)*\".*[\]}]"  # JSON, whose quotes are straight
    r"|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|\\\(.*?\\\)|\\\[.*?\\\]|\w+://\S+|<[^<>\n]*>|^[ \t]*\|.*$",
    re.S | re.M,
)
HAN = CJK.pattern
PROPER = re.compile(r"[，。；：！？、“”‘’「」『』《》]")
HALF_WIDTH = re.compile(rf"(?<={HAN})(?:[,;!?](?=\s|{HAN}|\Z)|:(?={HAN})|\.(?=\s*(?:{HAN}|\n|\Z)))")
STRAIGHT = re.compile(rf"(?<={HAN})[\"']|[\"'](?={HAN})")
PAIRS = ("“”", "「」", "『』", "《》")


def loose_punctuation(row: Row, most: float) -> str:
    """A Chinese answer in which more than a share of the marks is loose; how many of how many."""
    if row.language != "zh" or not CJK.search(row.response):
        return ""
    loose, marks = counted(row.response)
    return f"{loose} of {marks} marks" if marks >= FEWEST_MARKS and loose > most * marks else ""


def counted(text: str) -> tuple[int, int]:
    """Loose marks, and all marks."""
    text = NOT_PROSE.sub(" ", prose(text))
    wrong = len(HALF_WIDTH.findall(text)) + len(STRAIGHT.findall(text))
    alone = sum(abs(text.count(a) - text.count(b)) for a, b in PAIRS)
    return wrong + alone, wrong + len(PROPER.findall(text))
