"""What a recipe's techniques read has to be there before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.answer.shelf import ANSWER
from tasks.recipe import Recipe, RecipeError, checked


def test_a_corpus_that_is_not_there_is_named_before_anything_runs(tmp_path: Path) -> None:
    from flows.producing import readable

    gone = str(tmp_path / "passages.jsonl")
    links = [ANSWER.link({"meta_reasoning": {"corpus": gone}}, 0)]
    with pytest.raises(RecipeError, match=f"meta_reasoning reads {gone}, and there is no such file"):
        readable(links)
    (tmp_path / "passages.jsonl").write_text("")
    readable(links)


def test_a_pool_of_examples_is_looked_for_only_where_examples_are_wanted(tmp_path: Path) -> None:
    from flows.producing import distill, readable

    def recipe(few_shot: int) -> Recipe:
        answer: dict[str, Any] = {"few_shot": few_shot, "pool": str(tmp_path / "pool.jsonl")}
        return checked({"teacher": {"model": "m", "base_url": "http://localhost:1/v1"}, "answer": answer}, "r.yaml")

    readable([distill(recipe(0))])
    with pytest.raises(RecipeError, match="distill reads"):
        readable([distill(recipe(2))])
