import pytest

from benchmarks.final_answer import MATHS, Labelled, agreement, labelled
from tasks.answer.arithmetic import value
from tasks.answer.final_answer import Final, agree, right, stated

SAME = [
    ("16 - 3 - 4 = 9\nA: 18", "#### 18"),
    ("**Answer:** 42 apples", "42"),
    ("Therefore the answer is $1,234.50.", "1234.5"),
    (r"So \boxed{\dfrac{3}{4}}", "0.75"),
    (r"\boxed{1{,}234}", "1234"),
    (r"1.2 \times 10^{3}", "1200"),
    ("Answer: 1.2e3", "1200"),
    ("Answer: 2^10", "1024"),
    ("Answer: (B) Paris", "B"),
    ("x = 2 or x = 3", "3, 2"),
    ("1½ hours", "90 minutes"),
    ("Answer: 5 km", "5000 m"),
    ("$0.50", "50 cents"),
    ("25%", "0.25"),
    ("25%", "25"),
    ("Answer: 2.5 million", "2500000"),
    ("a total of 8\nSo 5 - 2 = 3 apples remain.", "3"),
    (r"$2\sqrt{3}$", r"2\sqrt{3}"),
    ("Answer: No.", "no"),
    ("答案：三分之二", "2/3"),
    ("答案是负三分之一。", "-1/3"),
    ("答：一共有１８个苹果。", "18"),
    ("一共有一百二十个", "120"),
    ("答案是百分之五", "5%"),
    ("一又二分之一", "1.5"),
    ("答案为：三點五", "3.5"),
    ("共1.5万元", "15000"),
    ("3亿5千万", "350000000"),
    ("一万五", "15000"),
    ("三千零五十", "3050"),
    ("一百零五", "105"),
    ("二〇二四年", "2024"),
    ("答案：4 小时", "240 分钟"),
    ("最终答案：（B）", "B"),
    ("答案：对", "对"),
]
DIFFERENT = [
    ("A: 18", "19"),
    ("Answer: 5 km", "5 m"),
    ("Answer: A", "B"),
    ("2", "2, 3"),
    ("3/4", "4/3"),
    ("", "0"),
    ("no idea", "4"),
    ("Answer: yes", "no"),
    ("答案：三分之二", "3/2"),
    ("答案：5小时", "5分钟"),
    ("答案：不对", "对"),
    ("不知道", "四"),
]
OWN = [Labelled("", *pair, right=label) for label, pairs in ((True, SAME), (False, DIFFERENT)) for pair in pairs]
HOSTILE = [
    "Answer: __import__('os').system('true')",
    "Answer: " + "9**" * 60 + "9",
    "Answer: " + "(" * 5000,
    r"\boxed{" * 3000,
    "答案：" + "一" * 5000,
    "A: 1/0",
    "#### \0 {{slot}}",
]


@pytest.mark.parametrize(("solution", "reference"), SAME)
def test_an_answer_that_says_the_same_in_another_form_is_right(solution: str, reference: str) -> None:
    assert right(solution, reference), (Final.of(solution), Final.of(reference))


@pytest.mark.parametrize(("solution", "reference"), DIFFERENT)
def test_an_answer_that_says_something_else_is_wrong(solution: str, reference: str) -> None:
    assert not right(solution, reference), (Final.of(solution), Final.of(reference))


@pytest.mark.parametrize("solution", HOSTILE)
def test_hostile_text_is_read_as_text(solution: str) -> None:
    assert not right(solution, "12345")


def test_what_is_marked_last_is_the_answer_and_a_box_before_all_others() -> None:
    assert stated("A: 3\nNo, wait.\nA: 4") == "4"
    assert stated(r"\boxed{7} and so the answer is 8") == "7"
    assert stated("first 3, then 4,\nand nothing marks the result") is None


@pytest.mark.parametrize(
    ("expression", "worth"),
    [("(1 + 2) × 3", "9"), ("007 - 7", "0"), ("2^-2", "1/4"), ("0.1 + 0.2", "3/10"), ("-3 ÷ 4", "-3/4")],
)
def test_arithmetic_is_exact(expression: str, worth: str) -> None:
    assert str(value(expression)) == worth


@pytest.mark.parametrize(
    "expression", ["", "1/0", "2**9999", "((9**64)**64)**64", "a+1", "1 if 1 else 2", "1" * 300, "1,2"]
)
def test_what_is_no_arithmetic_or_grows_too_large_has_no_value(expression: str) -> None:
    assert value(expression) is None


def test_labels_of_model_solutions_are_agreed_with() -> None:
    """Of the labelled solutions that lie beside the project; without them, of the forms above."""
    rows = list(labelled()) if MATHS.is_dir() else OWN
    agree, _ = agreement(rows)
    assert agree >= 0.99 * len(rows)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,000", "1000.00"),
        ("“是”", "是。"),
        ("(B)", "b"),
        ("B. Paris", "B"),
        ("１８０", "180"),
        ("-0.50", "-.5"),
        ("**Paris**", "paris"),
        ("63", "甲数是63"),
        ("99%", "百分之九十九"),
        ("99", "99%"),
        ("5 cm", "w = 5"),
        ("3小时", "180分钟"),
        (r"$\frac{1}{2}$", "1/2"),
        ("2x+1", "2x + 1"),
        ("√2", "√2。"),
    ],
)
def test_results_agree_however_they_are_written(one: str, other: str) -> None:
    assert agree(one, other)
    assert agree(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("18", "180"),
        ("是", "不是"),
        ("是", "否"),
        ("A", "B"),
        ("1/2", "2"),
        ("NaN", "0"),
        ("1e9999", "1"),
        ("√2", "2"),
        (r"\sqrt{2}", "2"),
        ("2x + 1", "2"),
        ("2π", "2"),
        ("5", "5 or -8"),
        ("5 cm", "5 m"),
        ("10:30", "10"),
        ("。", "。"),
    ],
)
def test_results_that_differ_do_not_agree(one: str, other: str) -> None:
    assert not agree(one, other)
    assert not agree(other, one)
