from random import Random

import numpy as np
import pytest
from datasketch import MinHash

from tasks.history.near import BANDS, CHUNK, PERMUTATIONS, bands, jaccard, shingles, signatures, width
from tests.rows import edited, said

ODD = ["", "👍", "你好", "thx", "a\0b\0c\0d", "\ud800 lone", '"}]} {{x}} </user>', "𠮷野家在哪里？", "x" * 4000]


def share(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two texts share a band."""
    return bool(((one == other) & (one != 0)).any())


def hashed_by_hand(shingle: str) -> int:
    """The shingle hash once more, one character at a time, in plain integers."""
    state = 0xCBF29CE484222325
    for letter in shingle:
        state = ((state ^ ord(letter)) * 0x100000001B3) % 2**64
        state ^= state >> 29
    return (state ^ state >> 32) % 2**32


def by_datasketch(text: str) -> list[int]:
    signed = MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32", hashfunc=hashed_by_hand)
    for shingle in shingles(text):
        signed.update(shingle)
    return signed.hashvalues.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_signatures_are_those_of_datasketch(seed: int):
    dice = Random(seed)
    texts = ODD + [said(dice, dice.randint(1, 40)) for _ in range(40)]
    assert signatures(texts).tolist() == [by_datasketch(t) for t in texts]


def test_a_signature_does_not_depend_on_the_texts_beside_it():
    dice = Random(1)
    texts = ODD + [said(dice, 400) for _ in range(200)]
    assert sum(map(len, texts)) > 3 * CHUNK  # so that they are worked on in parts
    together = bands(texts)
    alone = np.concatenate([bands([t]) for t in texts[:50]])
    assert together[:50].tolist() == alone.tolist()
    assert bands(texts[::-1]).tolist() == together[::-1].tolist()


@pytest.mark.parametrize("floor", [0.7, 0.8])
def test_bands_find_nearly_all_pairs_that_brute_force_finds(floor: float):
    dice = Random(11)
    texts = []
    for _ in range(60):
        base = said(dice, dice.randint(25, 60))
        texts += [base] + [edited(dice, base, n) for n in (1, 2, 4, 6)]
    dice.shuffle(texts)
    signed = bands(texts)
    near = [(i, j) for i in range(len(texts)) for j in range(i) if jaccard(texts[i], texts[j]) >= floor]
    hit = sum(share(signed[i], signed[j]) for i, j in near)
    assert len(near) > 100
    assert hit / len(near) > 0.97


def test_texts_that_have_nothing_in_common_rarely_share_a_band():
    dice = Random(5)
    texts = ["".join(dice.choices(letters, k=100)) for letters in ("abcdefgh ", "天地玄黄宇宙洪荒") for _ in range(150)]
    signed = bands(texts)
    assert sum(share(signed[i], signed[j]) for i in range(len(texts)) for j in range(i)) < 5


def test_the_same_least_shingles_in_two_bands_are_not_one_key():
    assert len({*bands(["x"])[0].tolist()}) == BANDS


def test_an_empty_text_is_near_to_nothing_not_even_to_itself():
    assert bands([""]).tolist() == [[0] * BANDS]
    assert jaccard("", "") == 0.0
    assert jaccard("", "你好") == 0.0


@pytest.mark.parametrize(
    ("one", "other"), [("你好", "thx"), ("你好", "您好"), ("👍", "👎"), ("hi", "ok"), ("a\0", "a")]
)
def test_short_texts_are_near_only_when_they_are_the_same(one: str, other: str):
    assert jaccard(one, other) == 0.0
    assert jaccard(one, one) == 1.0
    assert not share(*bands([one, other]))
    assert share(*bands([one, one]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", frozenset()),
        ("hi", {"hi"}),
        ("hello", {"hello"}),
        ("hello!", {"hello", "ello!"}),
        ("写首诗", {"写首诗"}),
        ("写一首诗", {"写一首", "一首诗"}),
    ],
)
def test_a_shingle_is_five_characters_or_three_of_chinese(text: str, expected: set[str]):
    assert shingles(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("the 词 is here", 5), ("用 rust 写一个排序", 3), ("a" * 7 + "中" * 3, 3), ("a" * 8 + "中" * 3, 5)],
)
def test_a_text_is_chinese_from_three_tenths_on(text: str, expected: int):
    assert width(text) == expected


def test_one_changed_character_leaves_a_chinese_sentence_near_and_an_english_one_too():
    assert jaccard("请帮我写一首关于秋天的五言绝句，不要太伤感", "请帮我写一首关于春天的五言绝句，不要太伤感") >= 0.7
    assert (
        jaccard("please write a short poem about autumn for me", "please write a short poem about autumn for us") >= 0.7
    )
