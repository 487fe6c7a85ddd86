"""A corpus is searched by words, and in Chinese by pairs of characters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasks.answer.corpus import passages, read, terms_of
from tasks.recipe import PROJECT, RecipeError

OURS = "tests/answer/corpus/passages.jsonl"
QUESTIONS = [
    json.loads(line) for line in (PROJECT / "tests/answer/corpus/questions.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The Falkirk Wheel, 2002!", ["the", "falkirk", "wheel", "2002"]),
        ("都江堰在哪", ["都江", "江堰", "堰在", "在哪"]),
        ("用Ｐｙｔｈｏｎ写", ["python", "用", "写"]),
        ("桥。", ["桥"]),
        ("カメラ", ["カメ", "メラ"]),
        ("", []),
        ("!? —", []),
    ],
)
def test_what_is_matched_are_words_and_pairs_of_characters(text: str, terms: list[str]) -> None:
    assert terms_of(text) == terms


@pytest.mark.parametrize(
    ("language", "question", "first"),
    [
        ("en", "Who built the Bell Rock Lighthouse?", "bell_rock"),
        ("en", "Where does the river Garonne rise?", "garonne"),
        ("zh", "灵渠是谁主持开凿的？", "lingqu"),
        ("zh", "蔡襄写过哪两部书？", "caixiang"),
        ("zh", "宜宾在哪里？", "yibin"),
    ],
)
def test_the_passage_that_tells_it_is_found(language: str, question: str, first: str) -> None:
    found = [p.id for p in read(OURS, language).search(question, 2)]
    assert first in found
    assert len(found) <= 2


def test_nothing_is_found_where_nothing_is_shared() -> None:
    for language in ("en", "zh"):
        assert read(OURS, language).search("zzz 魑魅魍魉", 5) == []
    assert read(OURS, "fr").search("le phare", 5) == []


def test_the_same_question_finds_the_same_in_the_same_order() -> None:
    found = read(OURS, "zh").search("战国时期的水利工程", 5)
    assert found == read(OURS, "zh").search("战国时期的水利工程", 5)
    assert found


def test_every_question_of_ours_names_linked_passages_of_its_own_language() -> None:
    known = {p.id: p.language for p in passages(OURS)}
    assert len(known) == 40
    for one in QUESTIONS:
        assert len(one["passages"]) >= 2
        assert {known[i] for i in one["passages"]} == {one["language"]}


@pytest.mark.parametrize("text", ["no json", "[]", '{"id": "a", "language": "en", "title": "t"}', "3"])
def test_a_file_that_is_no_corpus_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text(text)
    with pytest.raises(RecipeError, match="is not a corpus") as fault:
        passages(str(tmp_path / "bad.jsonl"))
    assert fault.value.where == "meta_reasoning.corpus"
    with pytest.raises(RecipeError, match=r"no corpus at .*none"):
        passages(str(tmp_path / "none.jsonl"))
