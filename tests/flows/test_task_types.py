"""Task types that a recipe names are those of its taxonomy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.recipe import PROJECT, RecipeError, checked, read

RECIPES = sorted((PROJECT / "deployments" / "recipes").glob("*.yaml"))
OURS = """
task_types:
  对联: {en: couplets, zh: 对联, subtypes: {spring: {en: for spring, zh: 春联}}}
  maths: {en: maths, zh: 数学, subtypes: {sum: {en: a sum, zh: 加法}}}
domains:
  general: {en: general, zh: 通用}
"""


def looked_at(plain: dict[str, Any]) -> None:
    """Prefect is imported once the session's server is up, or it would start another."""
    from flows.producing import chain
    from flows.task_types import known

    recipe = checked(plain)
    producing, answering = chain(recipe)
    known(recipe, [*producing, *answering])


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_each_recipe_of_the_project_names_what_is_there(path: Path) -> None:
    looked_at(read(path).model_dump())


@pytest.mark.parametrize(
    ("plain", "where", "hint"),
    [
        ({"produce": [{"robust": {"only": {"task_types": ["coed"]}}}]}, "produce.0.only.task_types", "code"),
        (
            {"answer": {"chain": [{"self_correct": {"only": {"task_types": ["code", "maths"]}}}]}},
            "answer.chain.0.only.task_types",
            "mathematics",
        ),
        ({"answer": {"chain": [{"run_code": {"task_types": ["Code"]}}]}}, "answer.chain.0.run_code.task_types", "code"),
        ({"answer": {"chain_of_thought_for": ["reasonning"]}}, "answer.chain_of_thought_for", "reasoning"),
        (
            {"answer": {"tier_for": {"codes": "teacher"}}},
            "answer.tier_for.codes",
            "code",
        ),
    ],
)
def test_one_that_the_taxonomy_does_not_have_is_refused_with_the_nearest(
    plain: dict[str, Any], where: str, hint: str
) -> None:
    with pytest.raises(RecipeError, match=r"data/taxonomy\.yaml has no task type") as fault:
        looked_at(plain)
    assert (fault.value.where, fault.value.hint) == (where, f"did you mean {hint}")


def test_a_taxonomy_of_a_teams_own_has_its_own_task_types_and_our_defaults_stay_quiet(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(OURS, "utf-8")
    label = {"label": {"taxonomy": str(tmp_path / "ours.yaml")}}
    chain: list[Any] = [{"complex_instruct": {"only": {"task_types": ["对联"]}}}]
    looked_at({**label, "produce": chain, "answer": {"chain": ["run_code"], "chain_of_thought_for": ["maths"]}})
    looked_at(label)
    with pytest.raises(RecipeError) as fault:
        looked_at({**label, "produce": [{"robust": {"only": {"task_types": ["code"]}}}]})
    assert fault.value.hint == "the task types are 对联, maths"
