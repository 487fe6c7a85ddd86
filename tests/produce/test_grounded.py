import pytest

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
