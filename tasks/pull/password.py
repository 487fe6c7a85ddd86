"""The password of a source, from the environment: it never stands in a recipe."""

from __future__ import annotations

import os

from tasks.recipe import RecipeError, Source


def password(source: Source) -> str:
    """Empty where the source names no variable. Raises RecipeError where it is not set."""
    if not source.password_env:
        return ""
    try:
        return os.environ[source.password_env]
    except KeyError:
        what = f"the environment variable {source.password_env} is not set"
        raise RecipeError(what, "sources.password_env", f"it should hold the password for {source.uri}") from None
