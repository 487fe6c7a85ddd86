"""The seeds that the growing techniques start from: enough, of every type, unlike each other, fit to publish."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tasks.gate.rows import checks, first
from tasks.gate.rows.parsers import python
from tasks.gate.rows.row import Row
from tasks.taxonomy import Taxonomy

SEEDS = Path(__file__).parents[1] / "data" / "seeds"
LANGUAGES = sorted(path.stem for path in SEEDS.glob("*.jsonl"))
FIELDS = {
    "task_type": str,
    "subtype": str,
    "prompt": str,
    "input": str,
    "response": str,
    "classification": bool,
}
MOST_ALIKE = 0.6

each_language = pytest.mark.parametrize("language", LANGUAGES)


@cache
def seeds(language: str) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in (SEEDS / f"{language}.jsonl").read_text("utf-8").splitlines())


def taxonomy() -> Taxonomy:
    return Taxonomy.read("data/taxonomy.yaml")


def test_chinese_has_seeds() -> None:
    assert "zh" in LANGUAGES


@each_language
def test_there_are_175_seeds(language: str) -> None:
    assert len(seeds(language)) == 175


@each_language
def test_no_seed_is_gibberish_for_others_to_follow(language: str) -> None:
    assert not [seed["prompt"] for seed in seeds(language) if re.search("asdf|qwer|zxcv", seed["prompt"], re.I)]


@each_language
def test_every_seed_has_all_fields_and_no_other(language: str) -> None:
    for seed in seeds(language):
        assert {name: type(value) for name, value in seed.items()} == FIELDS, seed
        assert seed["prompt"].strip(), seed
        assert seed["response"].strip(), seed


@each_language
def test_the_seeds_are_of_every_type_and_subtype_of_the_taxonomy_and_no_other(language: str) -> None:
    known = {kind.name for kind in taxonomy().types}
    assert {f"{seed['task_type']}/{seed['subtype']}" for seed in seeds(language)} == known


@each_language
def test_every_type_has_six_seeds_to_grow_from(language: str) -> None:
    count = Counter(seed["task_type"] for seed in seeds(language))
    assert {name: count[name] for name in taxonomy().first_level if count[name] < 6} == {}


@each_language
def test_classification_has_seeds_of_several_types(language: str) -> None:
    types = [seed["task_type"] for seed in seeds(language) if seed["classification"]]
    assert len(types) >= 25
    assert len(set(types)) >= 4


@each_language
def test_some_seeds_have_material_to_work_on_and_some_have_none(language: str) -> None:
    bare = sum(not seed["input"] for seed in seeds(language))
    assert 0.3 <= bare / len(seeds(language)) <= 0.7


@each_language
def test_no_two_prompts_are_alike(language: str) -> None:
    prompts = [(seed["prompt"], tokens(seed["prompt"], language)) for seed in seeds(language)]
    pairs = combinations(prompts, 2)
    assert [(one, other) for (one, ours), (other, theirs) in pairs if rouge_l(ours, theirs) >= MOST_ALIKE] == []


@each_language
def test_every_seed_passes_the_checks_of_a_published_row(language: str) -> None:
    made = checks(min_score=0, loose_marks=0.2)
    broken = {seed["prompt"]: fault for seed in seeds(language) if (fault := first(as_row(seed, language), made))[0]}
    assert broken == {}


@each_language
def test_the_python_of_every_answer_parses(language: str) -> None:
    answers = [block for seed in seeds(language) for block in python_blocks(seed["response"])]
    assert answers
    assert [block for block in answers if python(block)] == []


@each_language
def test_topics_are_many_short_and_different(language: str) -> None:
    topics = (SEEDS / f"topics.{language}.txt").read_text("utf-8").splitlines()
    assert len(topics) >= 180
    assert len(set(topics)) == len(topics)
    assert all(0 < len(topic.strip()) == len(topic) <= 60 for topic in topics)


@pytest.mark.parametrize(
    ("first_text", "second_text", "language", "alike"),
    [
        ("写一首诗", "写一首诗", "zh", 1.0),
        ("写一首诗", "写两首诗", "zh", 0.75),
        ("写诗", "作画", "zh", 0.0),
        ("write a short poem", "Write a long poem", "en", 0.75),
        ("the end of it", "it of end the", "en", 0.25),
    ],
)
def test_likeness_is_the_longest_common_subsequence(
    first_text: str, second_text: str, language: str, alike: float
) -> None:
    assert rouge_l(tokens(first_text, language), tokens(second_text, language)) == alike


def tokens(text: str, language: str) -> tuple[str, ...]:
    """Characters of Chinese, words of English."""
    return tuple("".join(text.split())) if language == "zh" else tuple(text.casefold().split())


def rouge_l(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """ROUGE-L F1. The subsequence is counted a row of the table at a time, in the bits of a number (Hyyrö, 2004)."""
    places: dict[str, int] = {}
    for place, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << place
    full = row = (1 << len(one)) - 1
    for token in other:
        matched = row & places.get(token, 0)
        row = (row + matched | row - matched) & full
    return 2 * (len(one) - row.bit_count()) / (len(one) + len(other))


def python_blocks(text: str) -> list[str]:
    return [part.partition("```")[0] for part in text.split("```python\n")[1:]]


def as_row(seed: dict[str, Any], language: str) -> Row:
    ask = f"{seed['prompt']}\n\n{seed['input']}".strip()
    return Row(ask, ask, seed["response"], language, seed["task_type"], judge=5.0)
