import pytest

from tasks.answer.equations import equations, false, way

ENGLISH = "She eats 3 + 4 = 7 eggs. The other 9 eggs sell for 9 x 2 = $18."
CHINESE = "早餐和松饼一共用去 3 个 + 4 个 = 7 个鸡蛋。\n剩下的 9 个卖了 9 × 2 = 18 元。"


def test_two_solutions_go_one_way_where_their_equations_are_the_same_however_they_are_worded() -> None:
    assert way(ENGLISH) == way(CHINESE) == ("3+4=7", "9*2=18")
    assert way(r"$3.0 + 4 = 7$, then \(9 \times 2 = 18\)") == way(ENGLISH)
    assert way("9 × 2 = 18, after 3 + 4 = 7") != way(ENGLISH)


@pytest.mark.parametrize("marked", ["<<3+4=7>>", "3+4=<<3+4=7>>7"])
def test_machine_readable_equations_are_read_once(marked: str) -> None:
    assert way(f"In all {marked} eggs") == ("3+4=7",)


@pytest.mark.parametrize("text", ["7*2=15", "3 + 4 = 7 - 2 = 5", "共 3 元 × 3 = 10 元"])
def test_a_calculation_that_does_not_hold_is_false(text: str) -> None:
    assert false(equations(text))


@pytest.mark.parametrize(
    "text",
    [
        "1/3 = 0.33",
        "20*10% = 2",
        "5/20*100 = 25%",
        ".05*104,000 = 5200",
        "1,800 ÷ 120 = 15 天",
        "2x = 4",
        "3x + 4 = 28",
        "Let t be the hours. 3 t + 2 = 8\n3 t = 6\nt = 6 / 3 = 2",
        "设有 n 个人，6 n + 6 = 24，n = 18 ÷ 6 = 3",
    ],
)
def test_a_rounded_result_a_percentage_and_an_unknown_are_not_blamed(text: str) -> None:
    assert not false(equations(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("260 × 0.8 = 208", "260 × 80% = 208"),
        ("260 * 80 % = 208 yuan", "260 × 0.80 = 208 元"),
        ("共 12.5% × 40 = 5 元", "0.125 × 40 = 5"),
        (".05*200 = 10", "5% × 200 = 10"),
        ("1.5 mg/kg × 18 kg = 27 mg\n27 mg ÷ 3 = 9 mg", "1.5 * 18 = 27 mg.\n27 / 3 = 9 mg."),
        ("300 g / 4 = 75 g per person", "300 ÷ 4 = 75（克）"),
        ("60 km/h * 2 h = 120 km", "60 × 2 = 120 千米"),
        ("18千米 ÷ 9千米/小时 = 2小时", "18 / 9 = 2"),
    ],
)
def test_equal_quantities_are_one_way_however_they_are_written(one: str, other: str) -> None:
    assert way(one) == way(other) != ()


def test_a_percentage_and_its_figure_are_two_ways() -> None:
    assert way("260 × 80% = 208") != way("260 × 80 = 20800")
