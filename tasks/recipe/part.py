"""What every part of a recipe is made of: strict models, times in UTC, paths, and the error that names a field."""

from __future__ import annotations

from contextlib import suppress
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
    given = Path(path)
    with suppress(RuntimeError):  # ~somebody, where nobody is called that
        given = given.expanduser()
    if given.is_absolute() or there(given) or not there(PROJECT / given):
        return given.absolute()
    return PROJECT / given


def there(path: Path) -> bool:
    """Whether there is something; nothing is under a name that no file can have."""
    try:
        return path.exists()
    except OSError:
        return False
