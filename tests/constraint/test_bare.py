"""Bare figures: which of them bound the whole answer, when an answer keeps one, and what becomes of it."""

import pytest

from tasks.constraint.bare import bare, lengths
from tasks.constraint.counted import Counted
from tasks.constraint.length import Characters, Sentences, Words
from tasks.constraint.stated import roundly
from tasks.constraint.target import Target
from tests.rows import HOSTILE, spoken

STATED: list[tuple[str, type[Counted], int]] = [
    ("Explain in 200 words why the sea is salt.", Words, 200),
    ("Tell me, in three sentences, what a tide is.", Sentences, 3),
    ("Write a short 500-word essay on tides.", Words, 500),
    ("Write me a different 1,000 word cozy mini-mystery story.", Words, 1000),
    ("Write 200 words about the harbour.", Words, 200),
    ("Shorten this to 50 words: The tide comes twice a day.", Words, 50),
    ("Describe the harbour using 140 characters.", Characters, 140),
    ("A poem about the harbour, 60 words.", Words, 60),
    ("写一篇500字的作文，题目是《潮》。", Words, 500),
    ("请用三句话介绍一下潮汐。", Sentences, 3),
    ("用一百二十字概括下面的文章：潮水每天来两次。", Words, 120),
    ("写两句话形容港口。", Sentences, 2),
    ("替村里写一份总结，字数要求800字。", Words, 800),
    ("给广播站写篇小评论，立场要分明，三百字。", Words, 300),
]
NOT_STATED = [
    "Summarise this 500-word essay.",
    "I wrote 200 words about the harbour. Is it good?",
    "Write an essay in 3 paragraphs.",
    "Write a title in 5 words and an essay in 300 words.",
    "Write a Python function that splits a text in 5 words.",
    "Write a story in 200 words or so; each chapter has a title.",
    "Answer in two sentences at most.",
    "Give me 5 tips.",
    "Write a letter in about 200 words.",
    "In 1918, words changed.",
    "把这篇500字的作文改得更生动。",
    "给一篇500字的作文写标题。",
    "她的一生是用两个字来形容的。",
    "列出五条建议。",
    "写一篇500字左右的作文。",
    "写一首四行的诗。",
    "标题用八个字概括。",
    "写一个统计500字的文本的函数。",
    "写一段200字的开头，再写一段300字的结尾。",
    "写一个故事，每段100字。",
]


@pytest.mark.parametrize(("prompt", "kind", "figure"), STATED)
def test_a_bare_figure_of_the_whole_answer_is_found(prompt: str, kind: type[Counted], figure: int) -> None:
    assert [s.length for s in bare(prompt)] == [roundly(kind, figure)]


@pytest.mark.parametrize("prompt", [*NOT_STATED, *HOSTILE, "word " * 3000, "1" * 3000 + "字"])
def test_a_figure_that_may_count_something_else_is_left_alone(prompt: str) -> None:
    assert bare(prompt) == []


@pytest.mark.parametrize("prompt", ["Write at least 200 words about the harbour.", "写一篇不少于200字的作文。"])
def test_a_bound_is_no_bare_figure(prompt: str) -> None:
    assert [s.length for s in lengths(prompt)] == [Words(200)]


@pytest.mark.parametrize(
    ("figure", "kept", "broken"),
    [(200, (191, 200, 209), (190, 210)), (50, (46, 54), (45, 55)), (3, (3,), (2, 4)), (1000, (901, 1099), (900, 1100))],
)
def test_less_than_a_round_step_from_the_figure_is_near_enough(
    figure: int, kept: tuple[int, ...], broken: tuple[int, ...]
) -> None:
    for prompt, word in ((f"Explain tides in {figure} words.", "tide "), (f"写一篇{figure}字的短文。", "潮")):
        target = Target(prompt, ())
        assert [target.unmet(word * n) for n in kept] == [[]] * len(kept)
        assert [target.unmet(word * n) for n in broken] == [["words"]] * len(broken)


@pytest.mark.parametrize(
    ("prompt", "answer", "edited"),
    [
        ("Explain tides in 200 words.", "tide " * 189, "Explain tides in 180 words."),
        ("Explain tides in 200 words.", "tide " * 231, "Explain tides in 230 words."),
        ("Explain tides in three sentences.", "One. Two. Three. Four.", "Explain tides in 4 sentences."),
        ("Explain tides in three sentences.", "One.", None),
        ("Write a 1,000-word essay on tides.", "tide " * 677, "Write a 670-word essay on tides."),
        ("写一篇200字的短文。", "潮" * 189, "写一篇180字的短文。"),
        ("写一篇两百字的短文。", "潮" * 255, "写一篇250字的短文。"),
        ("用三句话介绍潮汐。", "潮来。潮去。", "用2句话介绍潮汐。"),
        ("用三句话介绍潮汐。", "！", None),
    ],
)
def test_a_bare_figure_becomes_the_round_one_that_the_answer_reaches(
    prompt: str, answer: str, edited: str | None
) -> None:
    drawn = Target(prompt, ()).drawn(answer, spoken(prompt))
    assert (drawn.prompt if drawn else None) == edited
    assert drawn is None or drawn.unmet(answer) == []


@pytest.mark.parametrize("count", [*range(2, 130), 200, 999, 1000, 1049, 5000, 12345])
def test_every_count_keeps_the_figure_that_is_made_of_it(count: int) -> None:
    for prompt, word in (("Explain tides in 70000 words.", "tide "), ("写一篇70000字的短文。", "潮")):
        drawn = Target(prompt, ()).drawn(word * count, spoken(prompt))
        assert drawn is not None
        assert drawn.unmet(word * count) == []
