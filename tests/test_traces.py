"""What no match can do without: a text that is spared a search would have been searched for nothing."""

from __future__ import annotations

import pytest

from tasks.personal import COMPILED, verdicts
from tasks.traces import TRACES, kinds

SAID = {
    "PRIVATE_KEY": ["-----BEGIN PRIVATE KEY-----abc"],
    "URL_LOGIN": ["postgres://anna:geheim@db.example/x", "见 redis://:pass@10.0.0.1"],
    "SECRET": [
        "sk-abcdefghij0123456789",
        "ghs_" + "a1" * 20,
        "xoxb-0123456789ab",
        "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF",
    ],
    "SECRET_SET": [
        "PASSWORD = aB3dE5gH7jK9mN1p",
        "口令是 aB3dE5gH7jK9mN1p",
        "to\u212aen: aB3dE5gH7jK9mN1p",
        "\u017fecret: aB3dE5gH7jK9mN1p",
    ],
    "EMAIL": ["anna@example.com", "anna[at]example.com", "anna (at) example.com"],
    "ID_CARD": ["11010519491231002X", "身份证 110105491231002"],
    "IBAN": ["DE89370400440532013000", "de89 3704 0044 0532 0130 00"],
    "BANK_CARD": ["4111 1111 1111 1111", "3782 822463 10005"],
    "SSN": ["536-90-4399"],
    "IP": ["8.8.8.8", "2001:4860:4860::8888", "2001:4860:4860:0:0:0:0:8888"],
    "CAR_PLATE": ["京A·12345", "沪AD12345"],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in SAID.items() for text in texts])
def test_a_text_with_a_match_that_stands_is_always_searched(kind: str, text: str) -> None:
    verdict = verdicts().get(kind, bool)
    assert [m for m in COMPILED[kind].finditer(text) if verdict(m)]
    assert kind in kinds(text)


def test_the_kinds_are_those_of_the_patterns_in_their_order() -> None:
    assert list(TRACES) == list(COMPILED)


@pytest.mark.parametrize("text", ["How do I bake bread?", "怎样烤面包？", ""])
def test_a_plain_text_is_searched_for_next_to_nothing(text: str) -> None:
    assert set(kinds(text)) <= {"CAR_PLATE"}
