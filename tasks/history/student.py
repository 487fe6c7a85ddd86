"""The student that was trained on a version: where it answers, kept beside the versions.

It is what a command said about itself after the version stood, so it is in no increment and no version: nothing that is
published depends on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tasks.shard import write_json

FOLDER = "students"


def endpoint(url: str) -> str:
    at = urlsplit(url)
    if at.scheme not in ("http", "https") or not at.hostname:
        raise ValueError("expected an address such as http://127.0.0.1:8000/v1")
    if at.username or at.password:
        raise ValueError("an address with a login in it is not kept")
    return url


class Student(BaseModel):
    """An OpenAI-compatible endpoint and the model there."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    base_url: Annotated[str, AfterValidator(endpoint)]
    model: str = Field(min_length=1)


class NoStudent(ValueError):
    """What was given names no student; the message says why, without what was given."""


def named(text: str) -> Student:
    """The student that a JSON text names. Raises NoStudent."""
    try:
        return Student.model_validate_json(text)
    except ValidationError as faults:
        fault = faults.errors(include_input=False, include_url=False)[0]
        raise NoStudent(f"{'.'.join(map(str, fault['loc'])) or 'student'}: {fault['msg']}") from None


def keep(dataset: Path, version: str, student: Student) -> None:
    write_json(student.model_dump(), dataset / FOLDER / f"{version}.json")


def student_of(dataset: Path, version: str) -> Student | None:
    """The student of a version of a dataset's folder. Raises NoStudent where the file was edited and names none."""
    file = dataset / FOLDER / f"{version}.json"
    return named(file.read_text("utf-8")) if file.is_file() else None
