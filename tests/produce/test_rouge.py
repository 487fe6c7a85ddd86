"""ROUGE-L against many: exact, in both languages, whatever stands in the texts."""

from __future__ import annotations

from random import Random

import pytest

from tasks.produce.rouge import Known, letter, tokens
from tests.rows import HOSTILE, edited, said


def plain(one: list[str], other: list[str]) -> float:
    """ROUGE-L F1 by the table of the textbook."""
    row = [0] * (len(other) + 1)
    for a in one:
        above = row[:]
        for j, b in enumerate(other, 1):
            row[j] = above[j - 1] + 1 if a == b else max(above[j], row[j - 1])
    return 2 * row[-1] / (len(one) + len(other))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Don't panic, HAL 9000!", ["don", "t", "panic", "hal", "9000"]),
        ("写一首诗，题为“秋”。", list("写一首诗题为秋")),
        ("用Python写quick sort算法", ["用", "python", "写", "quick", "sort", "算", "法"]),
        ("ＡＢＣ　１２３", ["abc", "123"]),
        ("ひらがな", list("ひらがな")),
        ("snake_case …!?", ["snake", "case"]),
        ("", []),
    ],
)
def test_a_token_is_a_chinese_character_or_a_word_of_another_script(text: str, found: list[str]) -> None:
    assert tokens(text) == found


def test_the_likeness_of_the_nearest_is_that_of_the_textbook() -> None:
    dice = Random(3)
    texts = [said(dice, dice.randint(3, 40)) for _ in range(150)]
    asked = [edited(dice, dice.choice(texts), dice.randint(0, 12)) for _ in range(60)]
    known = Known(cutoff=0.3)
    known.add(texts)
    wanted = [max(plain(tokens(text), tokens(one)) for one in texts) for text in asked]
    found = known.nearest(asked)
    assert [like for like, _ in found] == pytest.approx([w if w >= 0.3 else 0.0 for w in wanted], abs=1e-4)
    for text, (like, twin) in zip(asked, found, strict=True):
        assert not twin or plain(tokens(text), tokens(twin)) == pytest.approx(like, abs=1e-4)
    assert len({like for like, _ in found}) > 20


def test_what_is_not_reached_is_not_told() -> None:
    known = Known(cutoff=0.9)
    known.add(["写一首关于春天的诗"])
    assert known.nearest(["写一首关于夏天的诗", "写一首关于春天的诗"]) == [(0.0, ""), (1.0, "写一首关于春天的诗")]


def test_nothing_is_like_nothing() -> None:
    known = Known()
    assert known.nearest(["anything"]) == [(0.0, "")]
    known.add(["some text that is known"])
    assert known.nearest([]) == []


def test_only_those_after_a_place_are_looked_at() -> None:
    known = Known()
    known.add(["the same old question again"])
    assert known.nearest(["the same old question again"], since=1) == [(0.0, "")]


def test_hostile_texts_are_texts() -> None:
    known = Known()
    known.add(HOSTILE)
    assert [like for like, _ in known.nearest(HOSTILE)] == [1.0] * len(HOSTILE)


def test_no_token_becomes_half_a_character() -> None:
    letters = {letter(n) for n in range(70_000)}
    assert len(letters) == 70_000
    assert "".join(sorted(letters)).encode("utf-8")
