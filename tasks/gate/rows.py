"""Row gates: what must hold of each row. The first rule that it breaks names its state, `gated:<rule>`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pyarrow as pa

from tasks.history.ledger import GATED
from tasks.language import detect
from tasks.personal import find
from tasks.record import message, spoken
from tasks.step import Sieved
from tasks.text import key, units

REFUSALS = {
    "en": re.compile(
        r"(?:i['’]?m (?:really |very |truly )?sorry,?|i apologi[sz]e,?|sorry,?)[^.!?\n]{0,30}"
        r"\b(?:can['’]?t|cannot|can not|unable|won['’]?t|not able)\b"
        r"|i (?:can['’]?t|cannot|won['’]?t) (?:help|assist|comply|do that|provide|support)"
        r"|as an ai(?: language)? model",
        re.I,
    ),
    "zh": re.compile(
        r"(?:抱歉|对不起|很遗憾|不好意思)[，,。！ ]?[^。！\n]{0,12}(?:不能|无法|没办法|不便|不会)"
        r"|我(?:不能|无法)(?:提供|帮助|协助|满足|完成|回答|为你|为您)|作为(?:一个|一名)?(?:人工智能|AI|大?语言模型)"
    ),
}
OPENING = 60
WORDY = 20


@dataclass(frozen=True, slots=True)
class Row:
    """What a rule sees."""

    ask: str
    last: str
    response: str
    language: str
    task_type: str
    judge: float


@dataclass(frozen=True, slots=True)
class RowGates:
    """Drop rows that break a rule. `min_score` is on the judge's scale of 0 to 5."""

    min_score: float = 4.5
    shape: ClassVar[Literal["table"]] = "table"

    def __call__(self, table: pa.Table) -> Sieved:
        broken = [
            next((n for n, rule in RULES.items() if rule(row, self)), None) for row in map(row_of, table.to_pylist())
        ]
        return Sieved(table, pa.array([GATED + rule if rule else None for rule in broken], pa.string()))


def row_of(row: dict[str, Any]) -> Row:
    *ask, response = row["messages"]
    judge = next((s["value"] for s in row["scores"] if s["name"] == "judge"), 0.0)
    last = next((m["content"] for m in reversed(ask) if m["role"] == "user"), "")
    everything = "\n".join(m["content"] for m in ask)
    return Row(everything, last, spoken(message(response)), row["language"], row["task_type"], judge)


def empty(row: Row, gates: RowGates) -> bool:
    return not row.response.strip()


def refused(row: Row, gates: RowGates) -> bool:
    """The answer opens with a refusal, in whichever language; a translation may be one of somebody's refusal."""
    own = "zh" if row.language == "zh" else "en"
    apply = [own] if row.task_type == "translation" else REFUSALS
    return any(REFUSALS[language].search(row.response[:OPENING]) for language in apply)


def echoed(row: Row, gates: RowGates) -> bool:
    return key(row.response) == key(row.last)


def personal_data(row: Row, gates: RowGates) -> bool:
    """The answer holds personal data, which the prompt that was sent did not."""
    return any(row.response[s.start : s.end] not in row.ask for s in find(row.response, row.language))


def wrong_language(row: Row, gates: RowGates) -> bool:
    """A Chinese question answered in English, or the reverse, where the task is not one of languages."""
    if (
        row.task_type in ("translation", "code", "extraction", "classification", "tool_use")
        or units(row.response) < WORDY
    ):
        return False
    other = "en" if row.language == "zh" else "zh"
    return detect(row.response) == other and detect(row.ask) == row.language and not mixed(row.ask)


def mixed(text: str) -> bool:
    """Whether a text names or holds the other language."""
    return bool(re.search(r"英文|英语|中文|汉语|English|Chinese|Mandarin|translat|翻译", text, re.I))


def broken_fence(row: Row, gates: RowGates) -> bool:
    return row.response.count("```") % 2 == 1


def low_score(row: Row, gates: RowGates) -> bool:
    return row.judge < gates.min_score


RULES: dict[str, Callable[[Row, RowGates], bool]] = {
    "empty": empty,
    "refused": refused,
    "echoed": echoed,
    "personal_data": personal_data,
    "wrong_language": wrong_language,
    "broken_fence": broken_fence,
    "low_score": low_score,
}
