"""Is it about what the team's product is about?"""

from __future__ import annotations

import pytest

from tasks.mine.relevance import Relevance
from tests.mine.asks import seen

OURS = Relevance(include=("Python", "machine learning", "保险", "理赔"), exclude=("casino", "彩票"))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("How do I sort a list in PYTHON?", True),
        ("ｐｙｔｈｏｎ 怎么排序", True),
        ("python3和python的区别", True),
        ("Monty Pythons flying circus", False),
        ("Explain machine  learning", True),
        ("a machine for learning", False),
        ("车险怎么理赔", True),
        ("車險怎麼理賠", True),
        ("今天天气怎么样", False),
        ("Write a Python script for a casino", False),
        ("保险和彩票有什么区别", False),
        ("保险和彩票有什麼區別", False),
    ],
)
def test_a_row_holds_a_listed_word_and_no_excluded_one(text: str, kept: bool) -> None:
    drop = OURS(seen(text))
    assert (drop is None) == kept
    assert drop is None or drop.reason == "off_topic"


def test_a_follow_up_belongs_to_its_session_and_an_exclusion_to_what_is_asked() -> None:
    assert OURS(seen("and in reverse?", ("How do I sort a list in Python?", "Use sorted."))) is None
    assert OURS(seen("保险呢", ("彩票怎么买", "不知道"))) is None
    drop = OURS(seen("And at the casino?", ("How do I learn Python?", "Practise.")))
    assert drop
    assert drop.detail == "excluded: casino"


def test_without_a_list_everything_is_relevant() -> None:
    assert Relevance()(seen("今天天气怎么样")) is None
