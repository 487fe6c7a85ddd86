"""What every part of a recipe is made of: strict models, times in UTC, paths, and the error that names a field."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

PROJECT = Path(__file__).resolve().parents[2]


class RecipeError(ValueError):
    """The recipe cannot be used; `where` is the field, `hint` what to do."""

    def __init__(self, what: str, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.hint = what, where, hint


class Unreachable(RecipeError):
    """What the recipe names cannot be reached now; another try may succeed."""


def utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(utc)]


class Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
        field_title_generator=lambda name, _: name,  # in a form a field has the name that it has in a recipe's file
    )


def located(path: str) -> Path:
    """A path of the recipe: absolute, or from where the command runs, or from the project."""
    given = Path(path).expanduser()
    if given.is_absolute() or given.exists() or not (PROJECT / given).exists():
        return given.absolute()
    return PROJECT / given
