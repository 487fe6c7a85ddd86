import pytest

from tasks.answer.said_examples import said_examples


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('例如 f("上海自来水来自海上") == True。', ['assert f("上海自来水来自海上") == True']),
        ("For example, f([1,2,3], 2) == [[1,2],[3]].", ["assert f([1,2,3], 2) == [[1,2],[3]]"]),
        ('f("a(b") should return "b)a" and f(3) must be -1.', ['assert f("a(b") == "b)a"', "assert f(3) == -1"]),
        ("`f(2)` 应返回 `4`，f(k=3)应该得到[1, (2, 'x')]", ["assert f(2) == 4", "assert f(k=3) == [1, (2, 'x')]"]),
        ('f("2024-01-02") == {"y": 2024}', ['assert f("2024-01-02") == {"y": 2024}']),
        ("f(2) == 4.", ["assert f(2) == 4"]),
    ],
)
def test_examples_in_words_are_asserts(text: str, found: list[str]) -> None:
    assert list(said_examples(text, ["f"])) == found


@pytest.mark.parametrize(
    "text",
    [
        "f(2) returns 5",  # what goes wrong, as likely as not
        "f(2) 返回 5",
        "f(2) -> 5",
        "if f(2) == 4, then …",
        "如果 f(2) == 4",
        "f(x) == 3",
        "f(1) == 0.33",
        "f(1) == [0.5]",
        "f(2) == 4 + 1",
        "f(2) == 12apples",
        "f(2) == four",
        "f(__import__('os')) == 1",
        "f(1) == __import__('os')",
        "x.f(2) == 3",
        "g(2) == 3",
        "f(2)\n== 3",
        "f(" * 2000,
        "f(1) == " + "[" * 2000,
    ],
)
def test_what_is_no_example_or_cannot_be_sure_of_being_one_is_left(text: str) -> None:
    assert not list(said_examples(text, ["f"]))


def test_without_a_name_nothing_is_looked_for() -> None:
    assert not list(said_examples("f(1) == 1", []))
