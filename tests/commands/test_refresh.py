"""What the command line makes of a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.commands.refresh import told
from tasks.recipe import READY, RecipeError

RECIPE = "sources: [{uri: a.jsonl, mapping: sharegpt, delimiter: ';', storage: {anon: true}}]\n"


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return str(tmp_path / "recipe.yaml")


def test_a_mapping_by_its_name_is_that_of_every_source(recipe: str) -> None:
    for sources in ((), ("b.jsonl", "c.jsonl")):
        made = told(recipe, sources, "openai", None, ()).sources
        assert [s.uri for s in made] == [*(sources or ("a.jsonl",))]
        assert all(s.mapping == READY["openai"] for s in made)


def test_without_one_other_sources_are_read_as_the_recipe_says(recipe: str) -> None:
    (made,) = told(recipe, ("s3://b/c.jsonl",), None, None, ()).sources
    assert (made.mapping, made.delimiter, made.storage) == (READY["sharegpt"], ";", {"anon": True})


def test_a_mapping_that_is_none_names_the_nearest(recipe: str) -> None:
    with pytest.raises(RecipeError, match="did you mean alpaca"):
        told(recipe, ("b.jsonl",), "alpacca", None, ())
