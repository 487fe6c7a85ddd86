"""A text that stands alone, and one that speaks of a passage."""

import pytest

from tasks.alone import refers, unled


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
        ("根據材料，幾點開館？", "zh", "根据材料"),
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


@pytest.mark.parametrize(
    ("text", "language", "rest"),
    [
        ("According to the passages, she was a saddler.", "en", "She was a saddler."),
        ("Based on the information provided, it is 1340 m high.", "en", "It is 1340 m high."),
        ("Based on the evidence of 1932, he was right.", "en", "Based on the evidence of 1932, he was right."),
        ("From the station, turn left.", "en", "From the station, turn left."),
        ("根据资料，她教数学。", "zh", "她教数学。"),
        ("根據現有資料顯示，她教數學。", "zh", "她教數學。"),
        ("根据劳动合同法，试用期不超过六个月。", "zh", "根据劳动合同法，试用期不超过六个月。"),
        ("根据材料力学，梁会弯曲。", "zh", "根据材料力学，梁会弯曲。"),
    ],
)
def test_only_a_first_clause_that_names_the_source_goes(text: str, language: str, rest: str) -> None:
    assert unled(text, language) == rest
