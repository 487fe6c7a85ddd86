from itertools import pairwise

import pytest

from tasks.produce.passages import passages
from tasks.text import units

LONG = {
    "zh": "".join(
        f"第{i}天说的是天气。后来讲的是庄稼；也讲到收成！有人问：“第{i}年怎么办？”没有答案。" for i in range(9)
    ),
    "en": "".join(
        f"On day {i} it rained. Then crops did well! What of {i} more, asks Dr. Lee? Nobody knows. " for i in range(15)
    ),
}
HEADED = "# 总则\n\n第一段。\n\n## 范围\n\n" + "适用于全体员工。" * 12 + "\n\n## 时间\n\n" + "每天八点开始。" * 12
TABLE = "# Prices\n\n| item | price |\n|---|---|\n" + "\n".join(f"| thing number {i} | {i} euros |" for i in range(40))


@pytest.mark.parametrize("language", LONG)
@pytest.mark.parametrize("length", [30, 60, 200])
def test_no_passage_is_longer_than_asked_and_all_end_where_a_sentence_does(language: str, length: int) -> None:
    made = passages(LONG[language], length, 0)
    assert len(made) > 1
    assert max(map(units, made)) <= length
    assert all(one.endswith(tuple("。！？；”.!?")) for one in made)
    assert "".join("".join(made).split()) == "".join(LONG[language].split()), "nothing is lost, nothing twice"


@pytest.mark.parametrize("language", LONG)
def test_a_passage_begins_with_the_last_sentences_of_the_one_before(language: str) -> None:
    made = passages(LONG[language], 80, 25)
    for before, after in pairwise(made):
        shared = max(n for n in range(len(after) + 1) if before.rstrip().endswith(after[:n].rstrip()))
        assert 0 < units(after[:shared]) <= 25
        assert max(map(units, made)) <= 80


def test_each_passage_keeps_its_headings_and_no_section_flows_into_the_next() -> None:
    made = passages(HEADED, 100, 20)
    assert made[0].startswith("# 总则\n\n第一段。\n\n## 范围\n\n适用")
    assert made[1].startswith("# 总则\n\n## 时间\n\n每天")
    assert len(made) == 2


@pytest.mark.parametrize(
    "text",
    [
        "第一章　总则\n第一条　为了规范。\n第二章　时间\n第三条　八点。",
        "Chapter 1 Beginnings\nIt begins with a bell.\nChapter 2 Ends\nIt ends.",
        "一、总体情况\n今年很好。\n二、不足\n也有不足。",
    ],
)
def test_numbered_headings_of_plain_texts_are_headings(text: str) -> None:
    lines = text.split("\n")
    assert passages(text, 12, 0) == ["\n\n".join(lines[:2]), "\n\n".join(lines[2:])]


TITLED = {
    "zh": "游泳馆开放须知（2025年版）\n\n第一章 时间\n\n周一闭馆，周二起开放。\n\n第二章 安全\n\n酒后不得下水，切记。",
    "en": "Rules of the Mill Pool\n\nChapter 1 Hours\n\nThe pool is closed on Mondays.\n\n"
    "Chapter 2 Safety\n\nNobody swims after drinking.",
}


@pytest.mark.parametrize("language", TITLED)
def test_each_passage_keeps_the_title_of_a_plain_text(language: str) -> None:
    name, *parts = TITLED[language].split("\n\n")
    assert passages(TITLED[language], 12, 0) == ["\n\n".join([name, *parts[:2]]), "\n\n".join([name, *parts[2:]])]


@pytest.mark.parametrize(
    "text",
    [
        "周一闭馆。\n\n周二开放。",
        "Closed on Mondays.\n\nOpen on Tuesdays.",
        "- one item\n\n- another item",
        "a line that the author broke\nin two, and its end.\n\nOpen on Tuesdays.",
    ],
)
def test_a_first_line_that_is_no_title_stands_in_the_first_passage_alone(text: str) -> None:
    assert passages(text, 4, 0)[0].startswith(text[:4])
    assert text[:4] not in "".join(passages(text, 4, 0)[1:])


def test_a_sentence_that_begins_like_a_numbered_heading_is_none() -> None:
    text = "一、价格自八月起执行，遇波动另行通知。\n二、不含税。"
    assert passages(text, 100, 0) == [text]


def test_a_table_is_cut_between_rows_and_each_part_has_the_header() -> None:
    made = passages(TABLE, 80, 20)
    assert len(made) > 3
    assert all(one.startswith("# Prices\n\n| item | price |\n|---|---|\n| thing") for one in made)
    assert [line for one in made for line in one.split("\n") if "thing" in line] == TABLE.split("\n")[4:]


def test_code_is_never_cut_and_its_comments_are_no_headings() -> None:
    code = "```python\n# not a heading\n" + "\n".join(f"x{i} = {i} + {i} + {i}" for i in range(60)) + "\n```"
    made = passages(f"Before it.\n\n{code}\n\nAfter it.", 40, 10)
    assert code in made
    assert len(made) == 3


@pytest.mark.parametrize("text", ["无" * 500, "word " * 500, "x" * 500, "あ" * 300, "a,b;" * 300])
def test_text_without_sentences_is_cut_all_the_same(text: str) -> None:
    made = passages(text, 50, 10)
    assert max(map(units, made)) <= 60
    assert made


@pytest.mark.parametrize("text", ["", "\n\n \n", "# only a heading"])
def test_nothing_to_say_is_no_passage(text: str) -> None:
    assert passages(text, 50, 10) == []
