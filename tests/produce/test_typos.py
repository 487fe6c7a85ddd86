from random import Random

import pytest

from tasks.produce.edit import Edit, apart, applied
from tasks.produce.typos_en import English, neighbours, slip
from tasks.produce.typos_en import read as read_english
from tasks.produce.typos_zh import (
    Chinese,
    everyday,
    homophones,
    read_foreign,
    read_shapes,
    read_words,
    sound,
    spelled_out,
    words,
)
from tasks.produce.verbatim import free

WORDS, SHAPES = "data/misspellings.yaml", "data/similar_shapes.yaml"
EN = "Could you please explain why the bread in the kitchen goes stale so quickly during the winter months"
ZH = "请问为什么面包放在冰箱里反而更容易变硬，有没有什么简单的办法可以让它保持柔软"


def only(kind: str, text: str, rates: English | Chinese) -> list[Edit]:
    if isinstance(rates, English):
        return list(rates.edits(text, free(text), Random(3), WORDS))
    return list(rates.edits(text, free(text), Random(3), WORDS, SHAPES))


def quiet(kind: str, of: type[English] | type[Chinese]) -> English | Chinese:
    """One kind of slip at every place, and no other."""
    return of(**{name: float(name == kind) for name in of.__dataclass_fields__})


ENGLISH = ("neighbour", "swapped_letters", "dropped_letter", "doubled_letter", "phonetic", "dropped_word")
CHINESE = ("homophone", "similar_shape", "swapped_characters", "dropped_character", "pinyin", "english")


@pytest.mark.parametrize(
    ("text", "of", "kind"),
    [*((EN, English, kind) for kind in ENGLISH), *((ZH, Chinese, kind) for kind in CHINESE)],
)
def test_each_kind_of_slip_has_a_rate_of_its_own(text: str, of: type[English] | type[Chinese], kind: str) -> None:
    edits = only(kind, text, quiet(kind, of))
    assert edits
    assert {e.kind for e in edits} == {kind}
    assert all(text[e.start : e.end] != e.new for e in edits)
    assert not only("", text, quiet("none", of))


@pytest.mark.parametrize(
    ("kind", "word", "length"),
    [
        ("swapped_letters", "window", 6),
        ("dropped_letter", "window", 5),
        ("doubled_letter", "window", 7),
        ("neighbour", "window", 6),
    ],
)
def test_a_slip_of_the_hand_stays_inside_the_word(kind: str, word: str, length: int) -> None:
    for seed in range(30):
        new = slip(kind, word, Random(seed), {})
        assert (new[0], len(new)) == ("w", length)


def test_keys_around_a_key_are_its_neighbours() -> None:
    assert set(neighbours("g")) == set("fhtyvb")
    assert set(neighbours("q")) == set("wa")
    assert neighbours("é") == ""


def test_short_words_and_numbers_in_words_are_left_alone() -> None:
    assert slip("dropped_letter", "cat", Random(0), {}) == "cat"
    assert not only("", "seven eleven twelve", quiet("neighbour", English))


def test_a_capital_and_an_i_stay_where_a_word_is_respelled() -> None:
    known = read_english(WORDS)
    assert slip("phonetic", "Please", Random(1), known)[0] == "P"
    assert slip("phonetic", "brittle", Random(1), {}) == "britle"
    assert slip("phonetic", "dawn", Random(1), {}) == "dawn"


def test_homophones_are_in_everyday_use_and_sorted_by_how_close_they_sound() -> None:
    assert "作" in homophones("做")["same"]
    assert "那" in homophones("哪")["tone"]
    assert "辛" in homophones("星")["fuzzy"]
    assert set().union(*homophones("做").values()) <= everyday().keys()
    assert len(everyday()) == 3755


@pytest.mark.parametrize(
    ("one", "other", "kind"), [("在", "再", "same"), ("买", "卖", "tone"), ("林", "灵", "fuzzy"), ("未", "末", "")]
)
def test_how_alike_two_characters_sound(one: str, other: str, kind: str) -> None:
    assert sound(one, other) == sound(other, one) == kind


def test_pinyin_is_typed_as_on_a_keyboard_and_by_whole_words() -> None:
    assert spelled_out("怎么办") == "zenmeban"
    assert spelled_out("旅行") == "lvxing"
    assert [ZH[a:b] for a, b in words(ZH, free(ZH), read_words(WORDS))][:3] == ["请问", "为什么", "面包"]


def test_a_negation_is_never_dropped() -> None:
    text = "不要别的没有未来"
    gone = {text[e.start] for e in only("", text, quiet("dropped_character", Chinese))}
    assert gone == set(text) - set("不没别未")


def test_shapes_are_pairs_of_everyday_characters_that_do_not_merely_sound_alike() -> None:
    alike = read_shapes(SHAPES)
    pairs = {frozenset((a, b)) for a, others in alike.items() for b in others}
    assert len(pairs) >= 300
    assert all(len(pair) == 2 for pair in pairs)
    assert all(c.encode("gb2312") for pair in pairs for c in pair)


def test_the_data_files_hold_words_and_what_becomes_of_them() -> None:
    english, foreign = read_english(WORDS), read_foreign(WORDS)
    assert all(wrong and word not in wrong for word, wrong in english.items())
    assert len(english) > 100
    assert all(chinese and said.strip() for chinese, said in foreign.items())
    assert len(foreign) > 60


def test_edits_that_touch_exclude_each_other_and_are_applied_in_one_go() -> None:
    edits = [Edit(0, 1, "x", "a"), Edit(1, 2, "y", "b"), Edit(4, 6, "", "c")]
    kept = apart(edits, 9, Random(0))
    assert len(kept) == 2
    assert Edit(4, 6, "", "c") in kept
    assert len(apart(edits, 1, Random(0))) == 1
    assert applied("abcdefg", [Edit(0, 1, "x", "a"), Edit(4, 6, "", "c")]) == "xbcdg"
    assert applied("春眠不觉晓", [Edit(1, 2, "mian", "p"), Edit(5, 5, "吗", "i")]) == "春mian不觉晓吗"
