"""Each kind of constraint: what keeps it, what breaks it, and that what is restated is true."""

import json
from itertools import product
from random import Random

import pytest

from tasks.constraint.counted import down, up
from tasks.constraint.data import Json
from tasks.constraint.ends import ClosesWith, OpensWith, RepeatsPrompt
from tasks.constraint.keywords import Forbidden, Keywords
from tasks.constraint.kind import Constraint
from tasks.constraint.layout import Bullets, CodeBlock, Table, Title
from tasks.constraint.length import Lines, Words
from tasks.constraint.letters import LowerCase, UpperCase
from tasks.constraint.marks import ChineseQuotes, Emoji, InLanguage, NoCommas
from tasks.constraint.register import KINDS, NoConstraint, compatible, contradict, read, unmet, written
from tasks.constraint.verse import Meter, Rhyme
from tests.constraint.cases import CASES, MOON, TEXTS
from tests.rows import HOSTILE, said

ALL = [constraint for _, constraint, _, _ in CASES]


@pytest.mark.parametrize(("language", "constraint", "keep", "breaks"), CASES)
def test_a_text_keeps_a_constraint_or_breaks_it(
    language: str, constraint: Constraint, keep: list[str], breaks: list[str]
):
    assert language in constraint.languages
    assert [t for t in keep if not constraint.holds(t)] == []
    assert [t for t in breaks if constraint.holds(t)] == []


def test_every_kind_has_cases_in_every_language_that_it_may_be_asked_in():
    there = {(constraint.name, language) for language, constraint, _, _ in CASES}
    assert there == {(name, language) for name, kind in KINDS.items() for language in kind.languages}
    assert len(KINDS) >= 25


def test_what_is_restated_always_holds_of_the_text_it_was_restated_from():
    dice = Random(7)
    texts = [*TEXTS, *HOSTILE, *(said(dice, dice.randint(1, 300)) for _ in range(40))]
    found = 0
    for constraint, text in product(ALL, texts):
        other = constraint.restated(text)
        if constraint.holds(text):
            assert other == constraint
        elif other is not None:
            assert other.holds(text), (constraint, other, text)
            assert type(other) is type(constraint)
            found += 1
    assert found > 1000


@pytest.mark.parametrize(
    ("asked", "text", "expected"),
    [
        (Words(200), "字" * 189, Words(180)),
        (Words(200), "word " * 189, Words(180)),
        (Words(0, 100), "字" * 112, Words(0, 120)),
        (Words(0, 1000), "字" * 1893, Words(0, 1900)),
        (Words(50, 60), "字" * 47, Words(45, 60)),
        (Words(50, 60), "字" * 62, Words(50, 65)),
        (Words(100, 100), "字" * 103, Words(100, 110)),
        (Words(10, 10), "字" * 12, Words(12, 12)),
        (Words(10), "！", None),
        (Emoji(0, 0), "好👍", Emoji(0, 1)),
        (Emoji(2), "好", None),
        (Keywords(("rain", "sun")), "the sun", Keywords(("sun",))),
        (Keywords(("雨",)), "晴", None),
        (Forbidden(("雨", "雪")), "下雪", Forbidden(("雨",))),
        (Bullets(3, 3, style="-"), "* a\n* b", Bullets(2, 2, style="*")),
        (Bullets(3, style="-"), "no list", None),
        (Table(3), "| a | b |\n|---|---|", Table(2)),
        (CodeBlock("sql"), "```python\nx\n```", CodeBlock("python")),
        (Json(("a", "b")), '{"a": 1}', Json(("a",))),
        (Json(("a",)), "prose", None),
        (OpensWith("In short"), "This morning, I left.", OpensWith("This morning")),
        (OpensWith("今天"), "昨天夜里，下了雨。", OpensWith("昨天夜里")),
        (ClosesWith("盼复"), "天凉了，多加衣。", ClosesWith("多加衣")),
        (ClosesWith("soon"), " word" * 40, None),
        (InLanguage("zh"), "A plain English sentence about the sea.", InLanguage("en")),
        (ChineseQuotes("「」"), "他说“走”", ChineseQuotes("“”")),
        (ChineseQuotes("「」"), "他走了", None),
        (Meter(7), MOON, Meter(5)),
        (Meter(7), "长短不一，也无所谓啊。", None),
        (NoCommas(), "a, b", None),
        (UpperCase(), "small", None),
        (Title(), "no title", None),
        (Rhyme(), "甲\n乙\n", None),
    ],
)
def test_a_constraint_is_restated_to_what_the_text_does_in_round_figures(
    asked: Constraint, text: str, expected: Constraint | None
):
    assert asked.restated(text) == expected


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(1, 1, 1), (19, 19, 19), (21, 20, 25), (99, 95, 100), (100, 100, 100), (189, 180, 190), (1893, 1800, 1900)],
)
def test_figures_are_rounded_to_the_honest_side(count: int, low: int, high: int):
    assert (down(count), up(count)) == (low, high)


@pytest.mark.parametrize("constraint", ALL, ids=lambda c: c.name)
def test_a_constraint_survives_being_written_down(constraint: Constraint):
    assert read(written(constraint)) == constraint


@pytest.mark.parametrize("prompt", HOSTILE)
def test_hostile_words_survive_being_written_down(prompt: str):
    assert read(written(RepeatsPrompt(prompt))) == RepeatsPrompt(prompt)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "no kind"),
        ('{"kind": "haiku"}', "no kind"),
        ('{"kind": ["words"]}', "no kind"),
        ('{"kind": "words"}', "no bound"),
        ('{"kind": "words", "least": 5, "most": 4}', "no bound"),
        ('{"kind": "words", "least": -1}', "no bound"),
        ('{"kind": "words", "least": "many"}', "words:"),
        ('{"kind": "words", "least": 5, "unit": "x"}', "words has no unit"),
        ('{"kind": "keywords"}', "keywords:"),
    ],
)
def test_what_is_no_constraint_says_why(text: str, why: str):
    with pytest.raises(NoConstraint, match=why):
        read(text)


CONTRADICTIONS = [
    (Words(100), Words(0, 50)),
    (UpperCase(), LowerCase()),
    (Json(), Title()),
    (Json(), Bullets(2)),
    (Keywords(("rain",)), Forbidden(("Rain",))),
    (OpensWith("Well, now"), NoCommas()),
    (RepeatsPrompt("写一封信，要短"), NoCommas()),
    (OpensWith("Dear"), Title()),
    (InLanguage("en"), Keywords(("雨",))),
    (InLanguage("en"), Rhyme()),
    (Bullets(3), Meter(5)),
]


@pytest.mark.parametrize(("one", "other"), CONTRADICTIONS)
def test_two_that_no_text_can_keep_contradict_each_other(one: Constraint, other: Constraint):
    assert contradict(one, other)
    assert contradict(other, one)
    assert not compatible((one, Emoji(1), other))


def test_what_may_be_asked_together_does_not_contradict():
    many = (Words(50), Keywords(("rain",)), Emoji(0, 0), Bullets(3), Title(), ClosesWith("the rain"))
    assert compatible(many)
    assert compatible((Meter(5), Rhyme(), Lines(4, 4), Keywords(("明月",))))
    assert unmet((Emoji(1), Words(2)), "one two") == [Emoji(1)]
    assert json.loads(written(Words(50)))["kind"] == "words"
