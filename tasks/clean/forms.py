"""Unify how a prose text writes things (document 003): only what a recipe names, and only what can be read one way.

`01/02/2024` may be January or February, `¥` in an English text yen or yuan, `1,234` in brackets two arguments: such
things stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date

from tasks.hanzi import simplified
from tasks.text import CJK

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?"
    r"|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
YEAR, DAY = r"((?:19|20)\d\d)", r"(\d{1,2})(?:st|nd|rd|th)?"
ORDERS: tuple[tuple[re.Pattern[str], tuple[int, int, int]], ...] = (
    (re.compile(rf"(?<![\d./-]){YEAR}\s?年\s?(\d{{1,2}})\s?月\s?(\d{{1,2}})\s?[日号]", re.A), (1, 2, 3)),
    (re.compile(rf"(?<![\w./-]){YEAR}([/.-])(\d{{1,2}})\2(\d{{1,2}})(?![\w/-]|\.\d)", re.A), (1, 3, 4)),
    (re.compile(rf"\b{MONTH} {DAY},? {YEAR}\b", re.I | re.A), (3, 1, 2)),
    (re.compile(rf"\b{DAY} {MONTH},? {YEAR}\b", re.I | re.A), (3, 2, 1)),
)
GROUPED = re.compile(r"(?<![\w.,(\[/])\d{1,3}(?:,\d{3})+(?![\w,])", re.A)
AMOUNT = r"(\d[\d,]*(?:\.\d+)?)(?![\d,]*\d)"
SIGNS = {"US$": "USD", "HK$": "HKD", "$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "￥": "CNY"}
NAMES = {
    "usd|us dollars?|dollars?|美元|美金": "USD",
    "cny|rmb|yuan|元人民币|人民币|元|块钱": "CNY",
    "eur|euros?|欧元": "EUR",
    "gbp|british pounds?|英镑": "GBP",
    "jpy|japanese yen|日元|日圆": "JPY",
    "hkd|hong kong dollars?|港币|港元": "HKD",
}
SIGNED = re.compile(rf"(?<![\w$])(US\$|HK\$|[$€£¥￥])\s?{AMOUNT}(?![\w%])", re.A)
NAMED = [
    (re.compile(rf"(?<![\w.$€£¥￥]){AMOUNT}\s?(?:{n})(?![a-z/]|[多钱])", re.I | re.A), code)
    for n, code in NAMES.items()
]
FILLER_ZH = re.compile(
    r"(?:(?<=[，。！？；,.!?;\n])|\A)[ ]*(?:(?:嗯+|呃+|额+|那个|就是说|怎么说呢|然后呢|这个嘛)[，,、…\s]+)+"
)
FILLER_EN = re.compile(
    r"(?:(?<=[,.!?;\n])|\A)([ ]*)(?:(?:um+|uh+|er+m?|hmm+|well|like|you know|i mean|basically)(?:,|\.{2,3}|…)\s*)+",
    re.I,
)


def width(text: str) -> str:
    """Full-width letters and digits as ASCII; Chinese punctuation is written full width and stays."""
    return re.sub(r"[０-９Ａ-Ｚａ-ｚ]", lambda m: chr(ord(m[0]) - 0xFEE0), text)


def filler(text: str) -> str:
    """Without sounds that fill a pause, where a sentence or clause begins and a comma sets them off."""
    return FILLER_EN.sub(r"\1", FILLER_ZH.sub("", text))


def dates(text: str) -> str:
    """Whole dates as 2024-01-05, where the order of day and month is plain."""
    for pattern, order in ORDERS:
        text = pattern.sub(lambda m, order=order: iso(m, order), text)
    return text


def iso(found: re.Match[str], order: tuple[int, int, int]) -> str:
    year, month, day = (found[i] for i in order)
    number = int(month) if month.isdecimal() else MONTHS.index(month[:3].lower()) + 1
    try:
        return date(int(year), number, int(day)).isoformat()
    except ValueError:  # the 31st of February: whatever it is, it is no date
        return found[0]


def numbers(text: str) -> str:
    """Without separators of thousands."""
    return GROUPED.sub(lambda m: m[0].replace(",", ""), text)


def currency(text: str) -> str:
    """Amounts as `12.5 USD`; a yuan sign only in a Chinese text, where it cannot be yen."""
    chinese = bool(CJK.search(text)) and not re.search(r"[\u3040-\u30ff]", text)
    text = SIGNED.sub(lambda m: m[0] if m[1] in "¥￥" and not chinese else f"{m[2]} {SIGNS[m[1]]}", text)
    for pattern, code in NAMED:
        text = pattern.sub(rf"\1 {code}", text)
    return text


FORMS: dict[str, Callable[[str], str]] = {
    "width": width,
    "simplified": simplified,
    "filler": filler,
    "dates": dates,
    "numbers": numbers,
    "currency": currency,
}


def unified(text: str, forms: Sequence[str]) -> str:
    """The text with these forms unified, always in the order of `FORMS`, so that each finds what it looks for."""
    for name, form in FORMS.items():
        if name in forms:
            text = form(text)
    return text
