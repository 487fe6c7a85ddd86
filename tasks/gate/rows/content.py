"""What an answer must say at all: something, its own words, in the right language, and nobody's personal data."""

from __future__ import annotations

import re

from tasks.gate.rows.row import Row
from tasks.language import detect
from tasks.personal import find
from tasks.text import CJK, key, units

WORDY = 20
OTHER_LANGUAGE = re.compile(r"英文|英语|中文|汉语|English|Chinese|Mandarin|translat|翻译", re.I)


def empty(row: Row) -> str:
    return "" if row.response.strip() else "no answer"


def echoed(row: Row) -> str:
    return "it repeats the question" if key(row.response) == key(row.last) else ""


def personal_data(row: Row) -> str:
    """The answer holds personal data, which the prompt that was sent did not."""
    spans = find(row.response, row.language)
    return next((f"a {s.kind} at {s.start}" for s in spans if row.response[s.start : s.end] not in row.ask), "")


def wrong_language(row: Row) -> str:
    """A Chinese question answered in English, or the reverse, where the task is not one of languages."""
    if (
        row.task_type in ("translation", "code", "extraction", "classification", "tool_use")
        or units(row.response) < WORDY
    ):
        return ""
    other = "en" if row.language == "zh" else "zh"
    if other == "zh" and not CJK.search(row.response):
        return ""
    closing = row.last.strip().rpartition("\n")[2]  # a long text in one language, and a question about it in another
    if detect(closing) == other:
        return ""
    wrong = detect(row.response) == other and detect(row.ask) == row.language and not mixed(row.ask)
    return f"{other} for a question in {row.language}" if wrong else ""


def mixed(text: str) -> bool:
    """Whether a text names or holds the other language."""
    return bool(OTHER_LANGUAGE.search(text))


def low_score(row: Row, least: float) -> str:
    return f"{row.judge:g}, expected {least:g}" if row.judge < least else ""
