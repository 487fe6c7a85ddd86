"""One form for what can be read one way; all else stays."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from tasks.clean.forms import FORMS, unified
from tasks.clean.written import Written
from tasks.teacher.ask import Teacher
from tests.rows import HOSTILE, ask

NOBODY: Teacher = None  # type: ignore[assignment]
ALL = tuple(FORMS)


@pytest.mark.parametrize(
    ("form", "given", "made"),
    [
        ("width", "ＧＰＴ－４ 和 ｐｙｔｈｏｎ３，好吗？", "GPT－4 和 python3，好吗？"),
        ("simplified", "請問這個軟體怎麼用", "请问这个软体怎么用"),
        ("simplified", "乾隆皇帝的頭髮", "乾隆皇帝的头发"),
        ("filler", "嗯，那个，帮我订一张票", "帮我订一张票"),
        ("filler", "那个人是谁", "那个人是谁"),
        ("filler", "Um, you know, how do I sort? Well, in Python", "how do I sort? in Python"),
        ("filler", "I like, as you know, dogs like him", "I like, as you know, dogs like him"),
        ("filler", "Well-known books", "Well-known books"),
        ("dates", "2024年1月5日和2024/01/06", "2024-01-05和2024-01-06"),
        ("dates", "On January 5th, 2024 or 6 Feb 2024", "On 2024-01-05 or 2024-02-06"),
        (
            "dates",
            "01/02/2024, 2024/13/01, Feb 31 2024, version 2024.1.2.3",
            "01/02/2024, 2024/13/01, Feb 31 2024, version 2024.1.2.3",
        ),
        ("numbers", "1,234,567 people and 12,5", "1234567 people and 12,5"),
        ("numbers", "f(1,234) and [1,234] and 1,2345", "f(1,234) and [1,234] and 1,2345"),
        ("currency", "It costs $5.50 or 20 dollars", "It costs 5.50 USD or 20 USD"),
        ("currency", "人均100元，或￥80，或20美元", "人均100 CNY，或80 CNY，或20 USD"),
        ("currency", "¥500 in Kyoto, $variable, $1a", "¥500 in Kyoto, $variable, $1a"),
        ("currency", "50元钱和三元", "50元钱和三元"),
    ],
)
def test_a_form_is_unified_and_what_is_unclear_stays(form: str, given: str, made: str) -> None:
    assert unified(given, [form]) == made
    assert unified(made, [form]) == made


def test_forms_help_each_other_whatever_their_order() -> None:
    for order in (ALL, ALL[::-1]):
        assert (
            unified("嗯，花了＄，不，是 $１,２３４，在２０２４年１月５日", order)
            == "花了＄，不，是 1234 USD，在2024-01-05"
        )


async def test_code_and_robust_rows_keep_their_spelling() -> None:
    text = "嗯，`1,234` 是多少？2024年1月5日\n```\n嗯，1,234 dollars <b>\n```"
    step = Written(html=True, boilerplate=("广告",), forms=ALL)
    (out,) = (await step(ask(text), NOBODY, Random(0))).out
    assert out.instruction == "`1,234` 是多少？2024-01-05\n```\n嗯，1,234 dollars <b>\n```"
    robust = replace(ask(f"{text}\n广告\n<p>teh</p>"), tags=("robust",))
    assert (await step(robust, NOBODY, Random(0))).out == (robust,)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays(text: str) -> None:
    assert unified(text, ALL) == text
