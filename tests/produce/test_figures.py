import pytest

from tasks.produce.figures import changed, digits, named

SAME = [
    ("in 200 words", "two hundred words, please"),
    ("in 200 words", "用200个字"),
    ("写200字", "写二百字"),
    ("写200字", "写两百字"),
    ("3,000 yuan", "3000 元"),
    ("3千元", "3,000 yuan"),
    ("12万人口", "a population of 120,000"),
    ("1.5亿", "150 million"),
    ("3 million people", "300万人"),
    ("March 5", "3月5日"),
    ("5 March 2026", "二〇二六年三月五日"),
    ("twenty-five pages", "二十五页"),
    ("25 pages", "twenty-five pages"),
    ("the 3rd chapter", "第三章"),
    ("five thousand two hundred", "5200"),
    ("5200", "five thousand two hundred"),
    ("１２ 个", "12 of them"),
    ("10月1日", "October 1"),
    ("a 1990 car", "一辆1990年的车"),
    ("no number", "没有数字"),
    ("one of them", "其中之一"),
    ("一起看看", "let us look"),
    ("1,234.50", "1234.5"),
    ("why, and how fast", "Say:\n1. why\n2. how fast"),
    ("请说明原因和办法", "请说明：\n1、原因\n（2）办法"),
]
OTHER = [
    ("in 200 words", "in 250 words", "200"),
    ("写200字", "写得短一点", "200"),
    ("写一首诗", "写一首诗，不超过8行", "8"),
    ("write a poem", "write a poem of 8 lines", "8"),
    ("10 万", "10,000", "10 万"),
    ("1.5", "15", "1.5"),
]


@pytest.mark.parametrize(("before", "after"), SAME)
def test_a_number_is_the_same_in_whatever_form(before: str, after: str) -> None:
    assert changed(before, after) == ""


@pytest.mark.parametrize(("before", "after", "lost"), OTHER)
def test_a_number_that_is_gone_or_new_is_named(before: str, after: str, lost: str) -> None:
    assert changed(before, after) == lost


@pytest.mark.parametrize("text", ["", "{{x}}", "零〇", "万亿亿", "²³¹", "٣", "1,2,3", "..5.", "9" * 400, "99亿亿"])
def test_whatever_the_text_it_is_read(text: str) -> None:
    assert changed(text, text) == ""
    assert digits(text).keys() <= named(text)
