"""The finder of personal data keeps the recall and precision that were measured on the Chinese set."""

from __future__ import annotations

import json
import re
import time
import unicodedata

import pytest
from stdnum import luhn
from stdnum.cn import ric

from benchmarks.personal_data import CHINESE, Example, Score, chinese, score, table
from tasks.personal import KINDS, Placeholders, Span, find

NO_RULE = {"ADDRESS", "NAME", "PASSPORT", "QQ", "WECHAT"}
RECALL = dict.fromkeys(set(KINDS) - {"SSN"}, 1.0) | {"EMAIL": 24 / 25}
PRECISION = dict.fromkeys(RECALL, 1.0)
FOUND = [
    ("打一三八零零一三八零零零找我", "一三八零零一三八零零零", "PHONE"),
    ("座机0512-62881234-801", "0512-62881234-801", "PHONE"),
    ("总机010-62345678转8021", "010-62345678转8021", "PHONE"),
    ("Desk: (898)666-3621x0135", "(898)666-3621x0135", "PHONE"),
    ("you can call them at 1793 414926.", "1793 414926", "PHONE"),
    ("身份证119901491231013", "119901491231013", "ID_CARD"),
    ("运通卡3782 822463 10005", "3782 822463 10005", "BANK_CARD"),
    ("地址2408:8000:1234::1不通", "2408:8000:1234::1", "IP"),
    ("PASSWORD='Tr0ub4dor+3xyz-madeup'", "Tr0ub4dor+3xyz-madeup", "SECRET"),
    ("redis://:pw@cache.example.com:6379/0", "redis://:pw@cache.example.com:6379/0", "URL_LOGIN"),
    ("沪AD12345挪一下车", "沪AD12345", "CAR_PLATE"),
    ("ｚｈａｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ，谢谢", "ｚｈａｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ", "EMAIL"),
]
INNOCENT = [
    "Samuel Cooper (c. 1608 – 1672), (1607–1677)",
    "= 231 / 1048576",
    "6. 12345\n7.  123456789\n8. 1",
    "call me on 2024-10-11 at 12:30",
    "119901491231013",
    "IMEI 350000000000006, order 3245678901234567890",
    "全新GTX970，最新A12345，京A和粤B",
    "token = get_token(user_id=12345678901234567)",
    "tokenizer: bert-base-uncased-12l-768h, secret: your-api-key-here-please",
    "std::a::b, 12:30:45, 00:1A:2B:3C:4D:5E, ::1, fe80::1:2:3",
    "π=三点一四一五九二六五三五八九七九三二三八四六",
]
HOSTILE = [
    "11 " * 20_000,
    "(11)-" * 12_000,
    "1" * 60_000,
    "token=" * 10_000 + "(",
    "token=aaaa1" * 6_000 + "(",
    "aa:" * 20_000,
    "aaaa:" * 12_000 + "z",
    "京A" * 30_000,
    "一三" * 30_000,
    "4111 " * 12_000,
    "a[at]" * 12_000,
    "+1 11" * 12_000,
    "de89 " * 12_000,
    "call me at " * 6_000,
]


@pytest.fixture(scope="module")
def measured() -> Score:
    return score(chinese())


@pytest.mark.parametrize("kind", sorted(RECALL))
def test_the_finder_keeps_its_measured_recall_and_precision(measured: Score, kind: str) -> None:
    wrong = [fault for fault in measured.faults if fault.split()[1] == f"{kind}:"]
    assert measured.gold[kind] > 0
    assert measured.recall(kind) >= RECALL[kind], wrong
    assert measured.precision(kind) >= PRECISION[kind], wrong


def test_texts_that_no_rule_was_made_by_are_found_as_measured() -> None:
    total = score(chinese(held_out=True))
    assert sum(total.covered.values()) / sum(total.gold.values()) >= 25 / 39, total.faults
    assert sum(total.right.values()) / sum(total.made.values()) >= 28 / 29, total.faults


def test_the_set_has_every_kind_and_many_texts_without_any() -> None:
    examples = chinese()
    assert sum(bool(one.gold) for one in examples) >= 150
    assert sum(not one.gold for one in examples) >= 60
    assert {span.kind for one in examples for span in one.gold} == RECALL.keys() | NO_RULE


def test_gold_spans_stand_where_they_say_and_ids_and_cards_satisfy_their_check_digits() -> None:
    for line in CHINESE.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for span in row["spans"]:
            assert row["text"][span["start"] : span["end"]] == span["value"]
            raw = re.sub(r"[ -]", "", unicodedata.normalize("NFKC", span["value"]))
            assert span["kind"] != "BANK_CARD" or luhn.is_valid(raw)
            assert span["kind"] != "ID_CARD" or len(raw) == 15 or ric.calc_check_digit(raw) == raw[-1]


def test_a_half_covered_value_is_missed_and_a_finding_beside_the_gold_is_wrong() -> None:
    text = "write to a@b.example, ring 13812345678"
    total = score([Example(text, "en", (Span(0, 20, "EMAIL"),))])
    assert (total.recall("EMAIL"), total.precision("EMAIL"), total.precision("PHONE")) == (0.0, 1.0, 0.0)
    assert "PHONE" in table(total, [])


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("text", "value", "kind"), FOUND)
def test_what_the_figures_showed_missing_is_found(text: str, value: str, kind: str, language: str) -> None:
    assert [(text[s.start : s.end], s.kind) for s in find(text, language)] == [(value, kind)]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("text", INNOCENT)
def test_numbers_in_chinese_and_english_texts_are_left_alone(text: str, language: str) -> None:
    assert find(text, language) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_a_long_text_made_to_be_slow_takes_time_by_its_length(text: str) -> None:
    """Sixty thousand characters take well under a second; what grows with the square takes minutes."""
    began = time.process_time()
    find(text, "zh")
    assert time.process_time() - began < 10


def test_one_value_in_full_and_half_width_has_one_placeholder() -> None:
    assert Placeholders().replace("打１３８００１３８０００或13800138000", "zh") == "打[PHONE_1]或[PHONE_1]"
    assert Placeholders().replace("京A·12345就是京A12345", "zh") == "[CAR_PLATE_1]就是[CAR_PLATE_1]"
