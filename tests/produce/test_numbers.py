import pytest

from tasks.produce.numbers import numbers


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,200 and 3.50", {"1200", "3.5"}),
        ("12万人，3亿元", {"120000", "300000000"}),
        ("2 million and 3 thousand", {"2000000", "3000"}),
        ("８０℃，2025年04月01日", {"80", "2025", "4", "1"}),
        ("一百二十块，两千零五个，十二万，二〇二四年", {"120", "2005", "120000", "2024"}),
        ("一个，两种，十分，千万不要，万一，三班", set()),
        ("twenty-one, three hundred and five, two thousand", {"21", "305", "2000"}),
        ("one or two of them, hundreds of others, a thousand thanks, someone", set()),
        ("TX-3", {"3"}),
        ("", set()),
    ],
)
def test_numbers_are_read_by_value_and_small_ones_in_words_are_none(text: str, values: set[str]) -> None:
    assert set(numbers(text)) == values
