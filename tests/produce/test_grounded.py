import pytest

from tasks.produce.alone import refers
from tasks.produce.grounded import ungrounded
from tests.produce.made import EN, ZH


@pytest.mark.parametrize(
    ("answer", "added"),
    [
        ("Adults pay 7.50 euros, and the pool opens at 6:30.", ""),
        ("Adults pay 8.50 euros.", "8.50"),
        ("Since May of 2024 it costs more.", "2024"),
        ("Ask at the desk for Marta Kowal; Kowal’s deposit is twenty euros.", ""),
        ("Ask at the desk for John Smith.", "John"),
        ("1. Pay 20 euros.\n2. Go to the desk.\n3) Swim.", ""),
        ("## Opening Hours\n\n**House Rules**: it opens at 6:30.", ""),
        ("However, I think so.", ""),
        ("Use the locker L-77.", "77"),
    ],
)
def test_english_names_and_numbers_that_the_source_does_not_have_are_found(answer: str, added: str) -> None:
    assert ungrounded(answer, EN, "en") == added


@pytest.mark.parametrize(
    ("answer", "added"),
    [
        ("成人票45元，儿童票20元。", ""),
        ("成人票四十六元。", "四十六"),
        ("押金为一百五十元。", ""),
        ("请找王经理，依据是《泳客须知》。", ""),
        ("请找李经理。", "李经理"),
        ("依据《馆规》办理。", "馆规"),
        ("由滨江大学管理。", "滨江大学"),
        ("1、先交押金；2、再领钥匙。\n（3）结束。", ""),
        ("请拨打VIP热线。", "VIP"),
        ("馆里共有三条规定，分两步办理。", ""),
    ],
)
def test_chinese_names_and_numbers_that_the_source_does_not_have_are_found(answer: str, added: str) -> None:
    assert ungrounded(answer, ZH, "zh") == added


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("What does the passage say of prices?", "en", "the passage"),
        ("According to the text, when does it open?", "en", "According to the text"),
        ("Why does the author prefer it?", "en", "the author"),
        ("What is the deposit as mentioned above?", "en", "as mentioned above"),
        ("How do I forward the text message?", "en", ""),
        ("Who was the author of Emma?", "en", ""),
        ("What is in the table of contents of a report?", "en", ""),
        ("How many complaints came in according to the brief?", "en", "according to the brief"),
        ("What is said according to the report of the harbour office?", "en", ""),
        ("When does the harbour pool open?", "en", ""),
        ("文中提到的票价是多少？", "zh", "文中"),
        ("根据材料，几点开馆？", "zh", "根据材料"),
        ("上述规定有哪些例外？", "zh", "上述"),
        ("作者认为哪种更好？", "zh", "作者认为"),
        ("根据报告，去年有多少人游泳？", "zh", "根据报告"),
        ("按照该简报中的数据，哪一年最多？", "zh", "按照该简报"),
        ("根据报告厅的大小，能坐多少人？", "zh", ""),
        ("怎样写一份调查报告？", "zh", ""),
        ("海港游泳馆几点开馆？", "zh", ""),
        ("搭建脚手架需要哪些材料？", "zh", ""),
    ],
)
def test_a_text_that_speaks_of_its_passage_is_told_from_one_that_stands_alone(
    text: str, language: str, found: str
) -> None:
    assert refers(text, language) == found
