from dataclasses import replace
from pathlib import Path

import pytest

from tasks.dedup.answers import OneAnswer
from tasks.history.asked import Asked
from tasks.record import Record
from tasks.schema import SCHEMA, records, table
from tasks.step import Folded
from tests.rows import answered, ask, past, texts

# Prompts that are close (0.5 to 0.7 alike), and answers that are alike.
LAMPS = (
    "Which lamp is the best one for reading in bed at night",
    "Which lamp is the best one for reading outside at night",
)
SHADE = ("Take a small lamp with a warm light and a shade.", "Take a small lamp with a warm light and a big shade.")
POEMS = (
    "请写一首关于秋天的七言绝句，要求押韵，不要太伤感，写给远方的朋友",
    "请写一首关于秋天的七言绝句，要求押韵，不要太伤感，送我老师",
)
AUTUMN = ("山寺月中寻桂子，郡亭枕上看潮头，何日更重游。", "山寺月中寻桂子，郡亭枕上看潮头，何日再重游。")
BOTH = pytest.mark.parametrize(("asked", "answers"), [(LAMPS, SHADE), (POEMS, AUTUMN)])


def one(rows: list[Record], **settings) -> Folded:
    return OneAnswer(**settings)(table(rows))


def pair(asked: tuple[str, str], answers: tuple[str, str], scores: tuple[float, float] = (5, 5)) -> list[Record]:
    return [answered(ask(q, i), a, s) for i, (q, a, s) in enumerate(zip(asked, answers, scores, strict=True))]


def test_no_rows_give_no_rows():
    assert OneAnswer()(SCHEMA.empty_table()).table.num_rows == 0


@BOTH
def test_prompts_of_these_tests_are_close_and_not_near_duplicates(asked: tuple[str, str], answers: tuple[str, str]):
    first, second = map(Asked.of, pair(asked, answers))
    assert 0.5 <= first.likeness(second) < 0.7


@BOTH
@pytest.mark.parametrize("scores", [(4.5, 5.0), (5.0, 4.5)])
def test_of_like_answers_to_close_prompts_the_better_judged_stays(
    asked: tuple[str, str], answers: tuple[str, str], scores: tuple[float, float]
):
    folded = one(pair(asked, answers, scores))
    best = scores.index(5.0)
    assert texts(folded.table.slice()) == [asked[best]]
    assert [(n, d.reason) for n, d in folded.dropped] == [(1 - best, "merged")]
    assert set(records(folded.table.slice())[0].roots) == {"l-00000", "l-00001"}


@BOTH
def test_with_equal_scores_the_lesser_row_id_stays(asked: tuple[str, str], answers: tuple[str, str]):
    rows = pair(asked, answers)
    assert records(one(rows).table.slice())[0].row_id == min(r.row_id for r in rows)
    assert records(one(rows[::-1]).table.slice())[0].row_id == min(r.row_id for r in rows)


@BOTH
def test_a_published_row_stays_though_the_new_one_is_judged_better(
    tmp_path: Path, asked: tuple[str, str], answers: tuple[str, str]
):
    old, new = pair(asked, answers, (4.0, 5.0))
    published = Asked.of(old, "published")
    folded = one([new], past=past(tmp_path, [published]))
    assert folded.table.num_rows == 0
    assert [(d.reason, d.into) for _, d in folded.dropped] == [("merged", published.row_id)]


@BOTH
@pytest.mark.parametrize("fate", ["gated:low_score", "harmful", "straddles_split"])
def test_a_row_that_was_not_published_takes_no_new_one_with_it(
    tmp_path: Path, asked: tuple[str, str], answers: tuple[str, str], fate: str
):
    old, new = pair(asked, answers)
    folded = one([new], past=past(tmp_path, [Asked.of(old, fate)]))
    assert texts(folded.table.slice()) == [asked[1]]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (
            ("Is this review positive or negative: great lamp!", "Classify the sentiment. I adore the marble bridge."),
            "positive",
        ),
        (("这条评论是好评还是差评：灯很好用", "判断情感：这家店的服务太周到了"), "正面"),
    ],
)
def test_equal_answers_to_prompts_that_are_far_apart_both_stay(asked: tuple[str, str], answer: str):
    assert texts(one(pair(asked, (answer, answer))).table.slice()) == list(asked)


@BOTH
def test_close_prompts_with_different_answers_both_stay(asked: tuple[str, str], answers: tuple[str, str]):
    assert one(pair(asked, (answers[0], "Something else entirely, 完全不同"))).table.num_rows == 2


def test_a_row_that_merged_takes_no_third_one_with_it():
    """a ~ b ~ c in their answers, but a and c are apart."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    answers = [letters[:20], letters[2:22], letters[4:24]]
    rows = [answered(ask(LAMPS[0] + "!" * i, i), a, 5 - i / 10) for i, a in enumerate(answers)]
    assert [r.response for r in records(one(rows, threshold=0.75).table.slice())] == [answers[0], answers[2]]


def test_one_answer_text_fills_no_more_rows_than_the_cap():
    far = ["".join(dict.fromkeys(f"{i:04d} 天地玄黄"[: 4 + i % 4])) + str(i) * 7 for i in range(12)]
    rows = [answered(ask(q, i), "I do  NOT know" if i % 2 else "i do not know") for i, q in enumerate(far)]
    folded = one(rows, max_rows=5, max_share=0.1)
    assert folded.table.num_rows == 5
    assert {d.reason for _, d in folded.dropped} == {"answer_repeated"}
    assert one(rows, max_rows=5, max_share=0.5).table.num_rows == 6


def test_published_rows_count_towards_the_cap_and_rejected_ones_do_not(tmp_path: Path):
    old = [answered(ask(f"{i}{i}{i} 宇宙洪荒 {i}", i), "不知道") for i in range(4)]
    before = [Asked.of(r, "published" if i < 2 else "gated:low_score") for i, r in enumerate(old)]
    new = [
        answered(ask(f"{w} lamp or {w} window", i), "不知道") for i, w in enumerate(("red", "tall", "cheap", "quiet"))
    ]
    folded = one(new, past=past(tmp_path, before), max_rows=3, max_share=0.01)
    assert folded.table.num_rows == 1
    assert len(folded.dropped) == 3


def test_the_share_is_one_of_all_rows_published_ones_included(tmp_path: Path):
    before = [Asked.of(answered(ask(f"{i}{i}{i} 宇宙洪荒 {i}", i), f"第{i}种"), "published") for i in range(4)]
    words = ("red", "tall", "cheap", "quiet")
    new = [answered(ask(f"{w} lamp or {w} window", i), "不知道") for i, w in enumerate(words)]
    assert one(new, max_rows=1, max_share=0.5).table.num_rows == 2
    assert one(new, past=past(tmp_path, before), max_rows=1, max_share=0.5).table.num_rows == 4


def test_rows_keep_their_order_whatever_their_scores():
    rows = [
        answered(ask(t, i), t[::-1], s)
        for i, (t, s) in enumerate(zip(("a lamp", "桥在哪里", "zebra"), (4, 5, 4.5), strict=True))
    ]
    assert texts(one(rows).table.slice()) == ["a lamp", "桥在哪里", "zebra"]
    unscored = [replace(r, scores=()) for r in rows]
    assert one(unscored).table.num_rows == 3
