"""Who is asked for what, and whether they can be: roles, models and keys, checked before anything starts."""

from __future__ import annotations

import os

from tasks.recipe import Endpoint, Recipe, RecipeError, located

RECORDED = "recorded-teacher"


def roles(recipe: Recipe) -> dict[str, Endpoint]:
    """Who is asked for what: the judge is the teacher where the recipe names none."""
    return {"teacher": recipe.teacher, "judge": recipe.judge or recipe.teacher}


def check(recipe: Recipe) -> None:
    """Raises RecipeError where an endpoint lacks its model or its key."""
    for role, endpoint in roles(recipe).items():
        where = role if role == "teacher" or recipe.judge else "teacher"
        if endpoint.recorded:
            if not located(endpoint.recorded).is_file():
                raise RecipeError(f"no recorded answers at {endpoint.recorded}", f"{where}.recorded")
            continue
        if not os.environ.get(endpoint.api_key_env):
            hint = f"export {endpoint.api_key_env}=… (any value where none is asked for), or look first with --plan"
            raise RecipeError(f"no key for the {role}: {endpoint.api_key_env} is not set", f"{where}.api_key_env", hint)
        if not endpoint.model:
            hint = f"name one in the recipe, or with --set {where}.model=…"
            raise RecipeError(f"no model for the {role}", f"{where}.model", hint)


def kind(recipe: Recipe) -> str:
    """Who teaches: the model's name; datasets of the recorded teacher are kept apart by it."""
    return RECORDED if recipe.teacher.recorded else recipe.teacher.model or ""
