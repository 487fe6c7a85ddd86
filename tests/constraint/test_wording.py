"""Constraints in words: both languages, found again in a prompt, and lengths that a prompt states by itself."""

import json
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from tasks.constraint.counted import Counted
from tasks.constraint.draw import DRAWS, OF_LONG, Material, drawn
from tasks.constraint.ends import OpensWith
from tasks.constraint.keywords import Keywords
from tasks.constraint.kind import Constraint
from tasks.constraint.length import Characters, Lines, Paragraphs, Sentences, Words
from tasks.constraint.marks import Emoji, NoCommas
from tasks.constraint.register import KINDS, contradict
from tasks.constraint.stated import chinese, stated
from tasks.constraint.target import Target, reworded
from tasks.constraint.wording import listed, table, worded, wordings
from tasks.text import CJK
from tests.constraint.cases import CASES
from tests.rows import HOSTILE

EACH = [(language, constraint) for language, constraint, _, _ in CASES]
MATERIALS = {
    "en": Material("Write a letter", "en", ("rain", "station", "photo"), ("youth",), "This morning", "write soon"),
    "zh": Material("写一封信", "zh", ("车站", "旧照片", "重逢"), ("青春",), "今天收拾屋子", "盼你回信"),
    "verse": Material("写一首诗", "zh", ("明月",), ("故乡",), verse=True),
    "code": Material("Write a script", "en", code=True),
}


@pytest.mark.parametrize(("language", "constraint"), EACH)
def test_every_wording_is_whole_and_in_its_language(language: str, constraint: Constraint):
    for words in wordings(constraint, language):
        assert "{" not in words.replace(str(getattr(constraint, "prompt", "")), "")
        assert bool(CJK.search(words)) == (language == "zh")
        assert words.endswith(("。", "”") if language == "zh" else (".", "”"))
    assert len(set(wordings(constraint, language))) == len(wordings(constraint, language))


def test_every_kind_has_words_in_both_languages_and_no_words_are_for_none():
    assert set(table()["kinds"]) == set(KINDS)
    for known in table()["kinds"].values():
        assert all({*words} == {"en", "zh"} for words in known.values())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_are_values_and_nothing_else(text: str):
    for language in ("en", "zh"):
        assert all(text in words for words in wordings(OpensWith(text), language))
        assert wordings(Keywords((text, "{words}")), language)[0].count(text) == 1


def test_numbers_agree_with_their_units():
    assert wordings(Words(1, 1), "en")[0] == "The whole answer should have exactly 1 word."
    assert wordings(Words(0, 2), "en")[0] == "The whole answer should have at most 2 words."
    assert wordings(Words(1, 2), "en")[0] == "The whole answer should have between 1 and 2 words."
    assert listed([Words(200), Emoji(0, 0)], "zh") == "- 全文不少于200字（标点不算）。\n- 不要使用 emoji。"


@pytest.mark.parametrize("of", MATERIALS)
def test_what_is_drawn_fits_the_prompt_and_itself_and_is_the_same_for_the_same_dice(of: str):
    material = MATERIALS[of]
    kinds = set()
    for seed in range(200):
        made = drawn(Random(seed), material, 5, (Words(100),))
        assert made == drawn(Random(seed), material, 5, (Words(100),))
        assert not any(contradict(a, b) for a, b in combinations((*made, Words(100)), 2))
        assert all(material.suits(type(c)) and worded(c, material.language, Random(0)) for c in made)
        assert "words" not in {c.name for c in made}
        kinds |= {c.name for c in drawn(Random(seed), material, 5)}
    assert len(kinds) >= (5 if material.verse else 12)
    assert ("meter" in kinds, "code_block" in kinds) == (material.verse, material.code)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_answer_of_a_sentence_is_asked_for_no_parts_and_no_length(language: str):
    brief = replace(MATERIALS[language], brief=True)
    made = [drawn(Random(seed), brief, 3) for seed in range(200)]
    assert not {type(c) for constraints in made for c in constraints} & set(OF_LONG)
    assert all(len(constraints) == 3 for constraints in made)


def test_every_kind_can_be_drawn_for_some_prompt():
    assert set(DRAWS) == set(KINDS)
    kinds = {c.name for m in MATERIALS.values() for s in range(300) for c in drawn(Random(s), m, 5)}
    assert kinds == set(KINDS)


def test_nothing_that_needs_words_is_drawn_without_them():
    bare = Material("写一封信", "zh")
    kinds = {c.name for seed in range(300) for c in drawn(Random(seed), bare, 5)}
    assert not kinds & {"keywords", "keyword_count", "forbidden", "letter_count", "opens_with", "closes_with"}


# Lengths in plain words.

STATED: list[tuple[str, list[Counted]]] = [
    ("写一篇不少于200字的短文", [Words(200)]),
    ("写个请假条，控制在三百字以内", [Words(0, 300)]),
    ("用3句话以内概括", [Sentences(0, 3)]),
    ("字数在一千二百至一千五百字之间", [Words(1200, 1500)]),
    ("100-150字，最多三段", [Words(100, 150), Paragraphs(0, 3)]),
    ("字数不要超过 500 字，至少写两句话", [Words(0, 500), Sentences(2)]),
    ("正好四行", [Lines(4, 4)]),
    ("500字以上", [Words(500)]),
    ("至少写150个英文单词", [Words(150)]),
    ("不超过140个字符", [Characters(0, 140)]),
    ("In at most three sentences, why?", [Sentences(0, 3)]),
    ("between 100 and 150 words", [Words(100, 150)]),
    ("A 100-150 word summary", [Words(100, 150)]),
    ("Write under 1,000 words.", [Words(0, 999)]),
    ("200 words or more; exactly 4 paragraphs", [Words(200), Paragraphs(4, 4)]),
    ("100 words max, at least 2 lines", [Words(0, 100), Lines(2)]),
    ("300 or more words, no more than 9 lines", [Words(300), Lines(0, 9)]),
]
NOT_STATED = [
    "给一篇500字的文章写标题",
    "写一篇500字左右的作文",
    "每段不少于50字",
    "标题不超过20个字",
    "不少于200元",
    "至少三个字母",
    "150到100字",
    "Summarise this 500-word text.",
    "at least 50 words each",
    "each paragraph has at least 50 words",
    "a title of no more than ten words",
    "about 200 words",
    "In other words, at least try.",
    "word " * 3000,
    "1" * 3000 + "字以内",
]


@pytest.mark.parametrize(("prompt", "expected"), STATED)
def test_a_length_in_plain_words_is_found(prompt: str, expected: list[Counted]):
    assert [s.length for s in stated(prompt)] == expected


@pytest.mark.parametrize("prompt", NOT_STATED)
def test_what_bounds_something_else_is_no_length_of_the_answer(prompt: str):
    assert stated(prompt) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("十", 10), ("二十五", 25), ("两百", 200), ("一千二", 1200), ("三万", 30000), ("一万二千", 12000), ("九", 9)],
)
def test_chinese_figures(text: str, value: int):
    assert chinese(text) == value


@pytest.mark.parametrize(
    ("prompt", "answer", "edited"),
    [
        ("写一篇不少于200字的短文。", "字" * 189, "写一篇不少于180字的短文。"),
        ("控制在三百字以内", "字" * 312, "控制在320字以内"),
        ("字数在100到150字之间，最多一段", "字" * 92, "字数在90到150字之间，最多一段"),
        ("正好四行", "甲\n乙\n丙", "正好3行"),
        ("写满至少5句话。", "！", None),
        ("In at least 200 words, please.", "word " * 189, "In at least 180 words, please."),
        ("Keep it under 100 words.", "word " * 112, "Keep it under 120 words."),
        ("Keep it under 100 words.", "word " * 120, "Keep it under 130 words."),
        ("exactly three sentences", "One. Two.", "exactly 2 sentences"),
        ("between 100 and 150 words", "word " * 163, "between 100 and 170 words"),
        ("at most 9 words", "one two", "at most 9 words"),
        ("no length", "one two", "no length"),
    ],
)
def test_a_stated_length_becomes_what_the_answer_does(prompt: str, answer: str, edited: str | None):
    drawn = Target(prompt, ()).drawn(answer, "zh" if CJK.search(prompt) else "en")
    assert (drawn.prompt if drawn else None) == edited
    assert drawn is None or drawn.unmet(answer) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_wording_of_a_broken_constraint_is_found_and_replaced(language: str):
    answer = "one two three 👍\n\nfour" if language == "en" else "一二三👍\n\n四"
    for old, new in ((Words(100, 100), Words(4, 4)), (Paragraphs(3), Paragraphs(2)), (Emoji(0, 0), Emoji(0, 1))):
        for words in wordings(old, language):
            target = Target(f"Say it. {words} Thanks.", (old, NoCommas()))
            made = target.drawn(answer, language)
            assert made is not None
            assert made.constraints == (new, NoCommas())
            assert any(f"Say it. {w} Thanks." == made.prompt for w in wordings(new, language))


def test_a_constraint_whose_words_are_not_in_the_prompt_is_not_edited():
    assert reworded("Say it at length.", Words(100), Words(50), "en") is None
    assert Target("Say it.", (Words(100),)).drawn("one", "en") is None
    assert Target("Use no commas.", (NoCommas(),)).drawn("a, b", "en") is None


def test_a_constraint_and_a_length_that_say_the_same_count_once():
    target = Target("写一封信。全文不少于200字（标点不算）。", (Words(200),))
    assert target.unmet("字" * 189) == ["words"]
    assert target.lengths_unmet("字" * 189) == []
    assert json.dumps(target.unmet("字" * 200)) == "[]"
