"""Personal data: what is found, and what only looks like it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tasks.personal import Placeholders, find
from tests.rows import HOSTILE

LANGUAGES = ("en", "zh")
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"
FOUND = [
    ("Write to mary.o-neil+work@mail.example.co.uk.", "mary.o-neil+work@mail.example.co.uk", "EMAIL"),
    ("发到zhang.san@example.com吧", "zhang.san@example.com", "EMAIL"),
    ("打13812345678找我", "13812345678", "PHONE"),
    ("我的手机是 138 1234 5678。", "138 1234 5678", "PHONE"),
    ("打１３８１２３４５６７８找我", "１３８１２３４５６７８", "PHONE"),
    ("座机010-62345678转3", "010-62345678", "PHONE"),
    ("电话：01062345678", "01062345678", "PHONE"),
    ("Call +44 20 7946 0958 today", "+44 20 7946 0958", "PHONE"),
    ("ring (415) 555-2671", "(415) 555-2671", "PHONE"),
    ("my phone: 4155552671", "4155552671", "PHONE"),
    ("身份证号11010519491231002X，请核对", "11010519491231002X", "ID_CARD"),
    ("ID 11010519491231002x", "11010519491231002x", "ID_CARD"),
    ("卡号4111 1111 1111 1111是我的", "4111 1111 1111 1111", "BANK_CARD"),
    ("card 4111-1111-1111-1111.", "4111-1111-1111-1111", "BANK_CARD"),
    ("账号DE89370400440532013000是我的", "DE89370400440532013000", "IBAN"),
    ("IBAN: DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00", "IBAN"),
    ("SSN 536-90-4399.", "536-90-4399", "SSN"),
    ("My server is 8.8.8.8.", "8.8.8.8", "IP"),
    ("服务器8.8.8.8:443连不上", "8.8.8.8", "IP"),
    ("export KEY=sk-proj-abcdefghij0123456789", "sk-proj-abcdefghij0123456789", "SECRET"),
    ("密钥sk-abcdefghijklmnopqrstuvwx1234泄露了", "sk-abcdefghijklmnopqrstuvwx1234", "SECRET"),
    ("密钥是AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", "SECRET"),
    (f"Bearer {JWT}", JWT, "SECRET"),
    (f"钥匙\n{PEM}\n泄露", PEM, "PRIVATE_KEY"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEow", "-----BEGIN PRIVATE KEY-----\nMIIEow", "PRIVATE_KEY"),
    (
        "连接postgres://bob:hunter2@db.example.org/x，然后导出数据",
        "postgres://bob:hunter2@db.example.org/x",
        "URL_LOGIN",
    ),
    ("clone https://bob:pw@host.example/r.git now", "https://bob:pw@host.example/r.git", "URL_LOGIN"),
]
INNOCENT = [
    "",
    "user@localhost，@handle，#4155552671",
    "git clone git@github.com:team/repo.git",
    "![logo](logo@2x.png)",
    "decorator @app.route and a@b",
    "npm i lodash@4.17.21",
    "发布于2023-10-11 12:30:45，2024年10月11日更新",
    "at 2023/10/11 10:11:12, epoch 1700000000, then 1700000000000",
    "order 1234567890 for $12,345,678",
    "订单号202410111234567，快递单号 773012345678901",
    "π≈3.14159265358979，e≈2.718281828459045",
    "[138, 1234, 5678]，1-2-3-4-5-6-7",
    "ISBN 978-3-16-148410-0",
    "41 55 55 26 71",
    "QQ 123456789，邮编 100084",
    "card 4111 1111 1111 1112",
    "身份证11010519491231002Y，110105194912310021，110105194913310022",
    "DE89370400440532013001",
    "SSN 000-12-3456, 666-12-3456",
    "127.0.0.1, 192.168.1.1, 10.0.0.1, 203.0.113.7, 0.0.0.0",
    "v1.2.3.4, 1.2.3.4.5, 999.1.1.1, 1.2.3",
    "sha256 4111111111111111abc, uuid 550e8400-e29b-41d4-a716-446655440000",
    "class sk-folding-cube-container and sk-learn",
    "eyJhbGciOiJIUzI1NiJ9 is half a token",
    "https://example.com:8080/path?a=b, time 12:30@home",
    "-----BEGIN CERTIFICATE-----",
    "[EMAIL_1] 和 [PHONE_2]",
    *HOSTILE,
    "\x00\ud800",
]


@pytest.mark.parametrize(("text", "value", "kind"), FOUND)
def test_personal_data_is_found_in_both_languages(text: str, value: str, kind: str) -> None:
    for language in LANGUAGES:
        assert [(text[s.start : s.end], s.kind) for s in find(text, language)] == [(value, kind)]


@pytest.mark.parametrize("text", INNOCENT)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert [find(text, language) for language in LANGUAGES] == [[], []]


def test_spans_come_from_left_to_right_and_never_overlap() -> None:
    text = "tel 13812345678, a@b.example, 11010519491231002X, https://a@b.example:pw@h.example/13812345678 \n8.8.8.8"
    spans = find(text * 3, "zh")
    assert len(spans) >= 15
    assert all(a.end <= b.start for a, b in pairwise(spans))


def test_one_value_has_one_placeholder_and_two_values_have_two() -> None:
    names = Placeholders()
    assert names.replace("mail mary@x.com, not mary-ann@x.com") == "mail [EMAIL_1], not [EMAIL_2]"
    assert names.replace("抄送MARY@x.com和maryann@x.com", "zh") == "抄送[EMAIL_1]和[EMAIL_3]"
    assert names.replace("138 1234 5678 或 13812345678 或 138-1234-5678", "zh") == "[PHONE_1] 或 [PHONE_1] 或 [PHONE_1]"


def test_a_text_without_personal_data_stays_as_it_is() -> None:
    assert Placeholders().replace("“你好”  x² \n") == "“你好”  x² \n"


@pytest.mark.parametrize("text", ["a-" * 20_000, "-eyJaaaaaaaaaaa" * 4_000, "a@" * 20_000, "x://a:b" * 4_000])
def test_text_made_to_be_slow_is_read_to_its_end(text: str) -> None:
    """Each of these once took, or would take, time that grows with the square of its length."""
    find(text)
