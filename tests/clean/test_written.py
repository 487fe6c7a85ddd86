"""Cleaning: what goes, and that code and everything else stays."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from tasks.clean.written import Written
from tasks.record import Message, Record
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tests.rows import HOSTILE, ask

NOBODY: Teacher = None  # type: ignore[assignment]
CODE = "```html\n<p>\tA &amp; B</p>\n<!-- 广告 -->\n广告\n```"


async def cleaned(record: Record, step: Written | None = None) -> Outcome:
    return await (step or Written())(record, NOBODY, Random(0))


@pytest.mark.parametrize(
    "text",
    [*HOSTILE, "<b>粗体</b> &amp; “引号”", "x² ≤ y，½", "    indent\n\tand tab", "a<b && c>d", CODE, "改正 teh 错字"],
)
async def test_text_stays_as_written_where_the_recipe_names_nothing(text: str) -> None:
    assert await cleaned(ask(text)) == Outcome.keeping(ask(text))


async def test_control_characters_go_from_every_turn_and_the_logged_response() -> None:
    record = replace(ask("问\x00题", system="\ufeff系统", before=["a\u200bb", "c\x07"]), student_response="答\x00")
    (out,) = (await cleaned(record)).out
    assert [m.content for m in out.messages] == ["系统", "ab", "c", "问题"]
    assert out.student_response == "答"


@pytest.mark.parametrize(
    ("given", "stays"),
    [
        ("<p>你好</p><p>世界</p>", "\n你好\n世界"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<b>x</b> &lt; <i>y</i> &amp;amp; z", "x < y &amp; z"),
        ("<style>p {}</style><script>alert('<b>')</script>好", "好"),
        ("no tags: 1 < 2, R&D, a <- b", "no tags: 1 < 2, R&D, a <- b"),
        (
            'How does `<div>` sit in `<p class="a">&nbsp;</p>`? <br>Thanks',
            'How does `<div>` sit in `<p class="a">&nbsp;</p>`? \nThanks',
        ),
        ("用 ``a `<b>` c`` 还是 <i>别的</i>", "用 ``a `<b>` c`` 还是 别的"),
        (f"<p>看</p>\n{CODE}\n<p>完</p>", f"\n看\n{CODE}\n\n完"),
        ("```\n<p>never closed", "```\n<p>never closed"),
        ("", ""),
    ],
)
def test_html_goes_where_the_recipe_says_so_and_never_in_code(given: str, stays: str) -> None:
    assert Written(html=True).text(given) == stays.strip("\n")


def test_boilerplate_goes_as_whole_lines_and_never_in_code() -> None:
    step = Written(boilerplate=("广告", "Sent from my phone"))
    assert step.text(f"问题\n  广告 \n{CODE}\n这是广告\nSent from my phone") == f"问题\n{CODE}\n这是广告"


@pytest.mark.parametrize("text", ["\x00\u200b", "  \n ", "\ufeff"])
async def test_an_ask_of_nothing_is_dropped(text: str) -> None:
    outcome = await cleaned(ask(text))
    assert ([d.reason for d in outcome.dropped], outcome.balanced) == (["empty"], True)


async def test_an_ask_that_is_all_markup_is_dropped() -> None:
    assert (await cleaned(ask("<p></p>"), Written(html=True))).dropped[0].reason == "empty"
    assert (await cleaned(ask("广告"), Written(boilerplate=("广告",)))).dropped[0].reason == "empty"


async def test_a_last_turn_of_a_tool_is_no_reason_to_drop() -> None:
    record = replace(ask("问"), messages=(Message("user", "问"), Message("tool", "\x00")))
    assert (await cleaned(record)).out[0].messages[-1].content == ""
