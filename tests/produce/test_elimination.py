"""What code sees of an evolved prompt and of its answer, in both languages."""

from __future__ import annotations

import pytest

from tasks.produce.elimination import Check, apologises, leaked, says_nothing
from tasks.produce.evol_instruct import EvolInstruct
from tasks.produce.wizard_coder import WizardCoder
from tasks.produce.wizard_math import WizardMath
from tasks.prompt import load
from tests.rows import ask

EVOLVING = [
    (f, o)
    for f, t in (("evol_instruct", EvolInstruct), ("wizard_coder", WizardCoder), ("wizard_math", WizardMath))
    for o in t.operations
]


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ("Sort a list.", "Rewritten prompt: sort a list twice.", "rewritten prompt"),
        ("Sort a list.", "Here is the REWRITTEN  request: sort it.", "rewritten request"),
        ("Sort a list.", "Sort a list of names by their length.", ""),
        ("What is a rewritten prompt?", "What is a rewritten prompt, and what does one cost?", ""),
        ("给列表排序。", "改写后的请求：给列表排两次序。", "改写后的请求"),
        ("给列表排序。", "新请求：按长度给姓名排序。", "新请求:"),
        ("给列表排序。", "按长度给姓名列表排序。", ""),
        ("什么叫改写后的提示？", "什么叫改写后的提示，举两个例子。", ""),
        ("Sort a list.", "Sure! Here is one:\n\nWhy does honey set?", "sure! here is one:"),
        ("Sort a list.", "Here's a harder version: sort it twice.", "here's a harder version:"),
        (
            "Sort a list.",
            "Certainly, the task could read as follows:\nSort it.",
            "certainly, the task could read as follows:",
        ),
        ("Sort a list.", "Here is one of my lists:\n3 1 2\nSort it.", ""),
        ("Sort a list.", "Here is the task: sort it.", ""),
        ("Sure, but why: explain.", "Sure, but why: explain it to me.", ""),
        ("给列表排序。", "好的，改好了，如下：\n\n给列表排两次序。", "好的,改好了,如下:"),
        ("给列表排序。", "没问题！这是给您改的：排两次序。", "没问题!这是给您改的:"),
        ("给列表排序。", "以下是我的三个数：3、1、2，请排序。", ""),
        ("给列表排序。", "好的包装设计有哪些特点？举例：茶叶罐。", ""),
        ("Sort it.", "<user 0a1b2c3d>\nSort it.\n</user 0a1b2c3d>", "<user 0a1b2c3d>"),
        ("Sort it.", "Sort <user name='x'> elements of this XML, and <conversation> too.", ""),
    ],
)
def test_words_and_marks_of_the_evolving_prompt_are_seen_unless_the_user_wrote_them(
    before: str, after: str, word: str
) -> None:
    language = "zh" if "一" <= before[0] <= "鿿" else "en"
    assert leaked(before, after, load("evol_instruct/deepen", language).words["leaks"].splitlines()) == word


@pytest.mark.parametrize(("folder", "operator"), EVOLVING)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_evolving_prompt_names_its_leaks_and_asks_for_the_text_alone(
    folder: str, operator: str, language: str
) -> None:
    prompt = load(f"{folder}/{operator}", language)
    assert len(prompt.words["leaks"].splitlines()) > 5
    assert prompt.slots == {"conversation"}
    assert ("Reply with" if language == "en" else "只回复") in prompt.turns[0].content


@pytest.mark.parametrize(
    ("prompt", "answer", "limit", "found"),
    [
        ("Name my cat.", "I'm sorry, I cannot see your cat.", 80, True),
        ("Name my cat.", "My apologies, there is no picture.", 80, True),
        ("Name my cat.", "I’m afraid there is no picture.", 80, True),
        ("Name my cat.", "I'm afraid there is no picture.", 80, True),
        ("Name my cat.", "Sorry! " + "word " * 79, 80, False),
        ("Name my cat.", "Sorry! " + "word " * 78, 80, True),
        ("Name my cat.", "Whiskers, for the sorrowful look.", 80, False),
        ("Write an apology to my cat.", "Dear cat, I am sorry.", 80, False),
        ("给我的猫起名。", "很抱歉，我看不到您的猫。", 130, True),
        ("给我的猫起名。", "对不起" + "字" * 127, 130, False),
        ("给我的猫起名。", "对不起" + "字" * 126, 130, True),
        ("给我的猫起名。", "叫“咪咪”，因为它脸上总带着抱怨。", 130, False),
        ("给猫写一条道歉短信。", "对不起，今天忘了喂你。", 130, False),
    ],
)
def test_an_apology_that_is_short_and_was_not_asked_for_is_one(
    prompt: str, answer: str, limit: int, found: bool
) -> None:
    assert apologises(prompt, answer, limit) is found


@pytest.mark.parametrize(
    ("answer", "nothing"),
    [
        ("", True),
        ("...", True),
        ("。。。！？", True),
        ("The of and, but.", True),
        ("这个，那个……还有的了", True),
        ("___ --- ***", True),
        ("42", False),
        ("Yes.", False),
        ("No.", False),
        ("B", False),
        ("a", False),
        ("是", False),
        ("不。", False),
        ("√", False),
        ("👍", False),
        ("The tide.", False),
        ("这是海", False),
    ],
)
def test_punctuation_and_stop_words_say_nothing(answer: str, nothing: bool) -> None:
    assert says_nothing(answer) is nothing


@pytest.mark.parametrize(("text", "limit"), [("Name my cat.", 80), ("给我的猫起名。", 130)])
def test_what_is_short_depends_on_the_language(text: str, limit: int) -> None:
    sorry = {"en": "sorry" + " word" * (limit - 2), "zh": "抱歉" + "字" * (limit - 3)}[ask(text).language]
    longer = sorry + (" and some more" if limit == 80 else "还有几个字")
    drop = Check().fault(ask(text), sorry)
    assert drop
    assert (drop.reason, drop.detail) == ("apologised", sorry[:200])
    assert Check().fault(ask(text), longer) is None
    assert Check(short_words=5, short_characters=5).fault(ask(text), sorry) is None
