"""Who is asked for what, and whether they can be: roles, models and keys, checked before anything starts."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from tasks.recipe import Endpoint, Recipe, RecipeError, located
from tasks.recipe.secrets import keyed
from tasks.teacher.prices import price_of

RECORDED = "recorded-teacher"
DEFAULT_URL = "https://api.openai.com/v1"


def roles(recipe: Recipe) -> dict[str, Endpoint]:
    """Who is asked for what, tiers by their name; the judge is the teacher where the recipe names none."""
    return {"teacher": recipe.teacher, "judge": recipe.teacher, **recipe.optional, **recipe.tiers}


def address(endpoint: Endpoint) -> str:
    return endpoint.base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL


def api_key(endpoint: Endpoint) -> str:
    """The key in the environment, without the line end that a file leaves behind it."""
    return os.environ.get(endpoint.api_key_env, "").strip()


def check(recipe: Recipe) -> None:
    """Raises RecipeError where an endpoint lacks its model or its key, or its address or key is none."""
    recordings(recipe)
    for where, endpoint in (recipe.endpoints | recipe.later).items():
        role = where.replace("tiers.", "tier ")
        if endpoint.recorded:
            continue
        variable = endpoint.api_key_env
        if not (key := api_key(endpoint)):
            hint = f"export {variable}=… (any value where none is asked for); flywheel refresh --plan needs no key"
            raise RecipeError(f"no key for the {role}: {variable} is not set", f"{where}.api_key_env", hint)
        if not (key.isascii() and key.isprintable()):
            what = f"no key for the {role}: {variable} holds characters that no key has"
            raise RecipeError(what, f"{where}.api_key_env", f"export {variable}=… with the key itself")
        if fault := misaddressed(address(endpoint)):
            hint = (
                f"expected such as http://localhost:8000/v1 in base_url or OPENAI_BASE_URL, and the key in {variable}"
            )
            raise RecipeError(f"no address for the {role}: {fault}", f"{where}.base_url", hint)
        if not endpoint.model:
            hint = f"name one in the recipe, or with --set {where}.model=…"
            raise RecipeError(f"no model for the {role}", f"{where}.model", hint)
        if recipe.budget.counts_money and price_of(endpoint, address(endpoint)) is None:
            what = f"a budget in money needs a price: none is known for {endpoint.model} at {address(endpoint)}"
            raise RecipeError(
                what, f"{where}.price", f"--set {where}.price='{{input: 1.25, output: 10}}', USD a million"
            )


def recordings(recipe: Recipe) -> None:
    """Raises RecipeError where recorded answers are not there."""
    for where, endpoint in recipe.endpoints.items():
        if endpoint.recorded and not located(endpoint.recorded).is_file():
            raise RecipeError(f"no recorded answers at {endpoint.recorded}", f"{where}.recorded")


def misaddressed(url: str) -> str:
    """What is wrong with an address; empty where nothing is."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if "@" in url:
        return "it holds a name or a password"
    if known and keyed(url):
        return "it holds a key"
    return "" if known else f"{url} does not begin with http:// or https:// and a host"


def kind(recipe: Recipe) -> str:
    """Who teaches: the model's name; datasets of the recorded teacher are kept apart by it."""
    return RECORDED if recipe.teacher.recorded else recipe.teacher.model or ""
