"""The recipe: everything a run may be told, as one checked object.

A YAML file on disk, `--set key.path=value` on the command line, a form in the Prefect UI: all three
are this model. Every field has a default that is fit for use, but for where the logs are and which
model teaches. A file for each group of its parts.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from tasks.recipe.answering import Answer, Judging
from tasks.recipe.endpoints import Batch, Budget, Caps, Endpoint, Price
from tasks.recipe.fault import dotted, placed
from tasks.recipe.mining import Clean, Label, Mine
from tasks.recipe.notify import Notify
from tasks.recipe.part import PROJECT, Moment, Part, RecipeError, Unreachable, located, utc
from tasks.recipe.publishing import Dedup, Gates, Output, Publish, Split
from tasks.recipe.rows import RowChecks
from tasks.recipe.sources import READY, Mapping, Pulling, Source
from tasks.recipe.student import Student
from tasks.recipe.written import plain

__all__ = [
    "PROJECT",
    "READY",
    "Answer",
    "Batch",
    "Budget",
    "Caps",
    "Clean",
    "Dedup",
    "Endpoint",
    "Gates",
    "Judging",
    "Label",
    "Mapping",
    "Mine",
    "Moment",
    "Notify",
    "Output",
    "Price",
    "Publish",
    "Pulling",
    "Recipe",
    "RecipeError",
    "RowChecks",
    "Source",
    "Split",
    "Student",
    "Unreachable",
    "checked",
    "located",
    "put",
    "read",
    "utc",
]


RESERVED = {"teacher", "judge", "reward", "embeddings", "student_at", "small_model", "fallback"}  # no names for tiers


class Recipe(Part):
    """One refresh, whole."""

    sources: list[Source] = Field(default=[], description="Where the logs are.")
    teacher: Endpoint = Field(default=Endpoint(), description="Who answers.")
    judge: Endpoint | None = Field(default=None, description="Who labels and judges; the teacher when left out.")
    tiers: dict[str, Endpoint] = Field(default={}, description="Other teachers by name; see answer.tier_for.")
    fallback: str | None = Field(
        default=None, description="A tier, or `teacher`: asked for whatever an endpoint that is out cannot answer."
    )
    reward: Endpoint | None = Field(
        default=None, description="A reward model that scores answers, asked through the chat protocol as a judge is."
    )
    embeddings: Endpoint | None = Field(default=None, description="Who turns texts into vectors (/embeddings).")
    student_at: Endpoint | None = Field(
        default=None, description="Where the model that is trained is served, so that it can be asked too."
    )
    budget: Budget = Field(default=Budget(), description="Caps on money, tokens and calls.")
    output: Output = Field(default=Output(), description="Where the dataset is kept.")
    publish: Publish = Field(default=Publish(), description="What a new version sets off.")
    seed: int = Field(default=7, description="Every random choice comes from it.")
    card_language: Literal["en", "zh"] = Field(default="en", description="The language of the dataset card.")
    licence: str = Field(default="other", description="The dataset's licence, for its card.")
    pull: Pulling = Field(default=Pulling(), description="How much of the logs may be unreadable.")
    clean: Clean = Field(default=Clean(), description="What may be taken out of a text.")
    mine: Mine = Field(default=Mine(), description="Which prompts are worth an answer.")
    label: Label = Field(default=Label(), description="Task types and domains.")
    produce: list[str | dict[str, dict[str, Any] | None]] = Field(
        default=[],
        description="Techniques that make more prompts, in order, each with its settings and `only`; "
        "flywheel techniques lists them.",
    )
    answer: Answer = Field(default=Answer(), description="How the teacher answers.")
    judging: Judging = Field(default=Judging(), description="How answers are judged.")
    gates: Gates = Field(default=Gates(), description="What must hold before a version is published.")
    dedup: Dedup = Field(default=Dedup(), description="What counts as the same.")
    split: Split = Field(default=Split(), description="Shares for validation and test.")
    student: Student | None = Field(default=None, description="Who is trained: rows must render and fit for it.")
    notify: Notify = Field(default=Notify(), description="Who is told how a run ended.")
    shard_rows: int = Field(default=1500, ge=1, description="Records in one Prefect task.")

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """Every endpoint that is asked, by the field of the recipe that names it."""
        return {"teacher": self.teacher} | self.optional | {f"tiers.{name}": end for name, end in self.tiers.items()}

    @property
    def optional(self) -> dict[str, Endpoint]:
        """The endpoints that a recipe may do without, by their fields."""
        named = ((role, getattr(self, role)) for role in ("judge", "reward", "embeddings", "student_at"))
        return {role: endpoint for role, endpoint in named if endpoint}

    @property
    def later(self) -> dict[str, Endpoint]:
        """The endpoints that may stand only once a run has come to them, by the field of the recipe that names each."""
        small = self.answer.small_model
        served = {"answer.small_model": small, "answer.small_model.before": small.before if small else None}
        return {f"{where}.at": model.at for where, model in served.items() if model}

    @model_validator(mode="after")
    def tiers_known(self) -> Recipe:
        if taken := RESERVED & self.tiers.keys():
            raise ValueError(f"tiers.{min(taken)}: that name is taken; call the tier something else")
        named = {f"answer.tier_for.{task}": tier for task, tier in self.answer.tier_for.items()}
        for where, tier in (named | ({"fallback": self.fallback} if self.fallback else {})).items():
            if tier not in ("teacher", *self.tiers):
                raise ValueError(f"{where}: there is no tier {tier}; there are {', '.join(('teacher', *self.tiers))}")
        if len({bool(end.recorded) for end in (self.teacher, *self.tiers.values())}) > 1:
            raise ValueError("tiers: recorded answers and those of a model may not be mixed in one dataset")
        if self.answer.small_model and self.teacher.recorded:
            raise ValueError(
                "answer.small_model: recorded answers and those of a model may not be mixed in one dataset"
            )
        if self.embeddings and (self.embeddings.batch or self.embeddings.recorded):
            raise ValueError("embeddings: they are neither batched nor recorded; take `batch` and `recorded` out")
        return self

    @property
    def dataset(self) -> Path:
        return located(self.output.dir) / self.output.name


def read(path: str | Path, changes: Iterable[str] = ()) -> Recipe:
    """A recipe from a YAML file, with `key.path=value` changes. Raises RecipeError with the field named."""
    told = plain(path)
    for change in changes:
        put(told, change)
    return checked(told, str(located(str(path))))


def put(plain: dict[str, Any], change: str) -> None:
    """Set `key.path=value`; the value is read as YAML, a number in the path counts into a list."""
    path, sign, value = change.partition("=")
    if not sign or not path:
        raise RecipeError(f"--set {change}: expected key.path=value, such as teacher.model=gpt-5")
    *way, last = path.split(".")
    try:
        given = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise RecipeError(f"--set {path}=…: the value is not YAML", path, "put it in quotes") from None
    try:
        here: Any = plain
        for key in way:
            if isinstance(here, dict) and here.get(key) is None:
                here[key] = {}
            here = here[int(key) if isinstance(here, list) else key]
        here[int(last) if isinstance(here, list) else last] = given
    except (IndexError, ValueError, TypeError, AttributeError):
        raise RecipeError(f"--set {path}=…: there is no {path} in the recipe", where=path) from None


def checked(plain: dict[str, Any], where: str = "recipe") -> Recipe:
    """The model from plain data; the first fault as one sentence that names the field and the nearest right one."""
    try:
        return Recipe.model_validate(plain)
    except ValidationError as faults:
        fault = min(faults.errors(), key=lambda f: f["type"] != "extra_forbidden")  # a typo explains what is missing
        if fault["type"] == "extra_forbidden":
            field = dotted(fault["loc"])
            known = fields_at(fault["loc"][:-1])
            near = difflib.get_close_matches(str(fault["loc"][-1]), known, 1)
            hint = f"did you mean {near[0]}" if near else f"the fields there are {', '.join(known)}"
            raise RecipeError(f"{where}: there is no field {field}", field, hint) from None
        field, said = placed(fault)
        raise RecipeError(": ".join(filter(None, [where, field, said])), field) from None


def fields_at(way: tuple[int | str, ...]) -> list[str]:
    """The field names of the model that stands at a path of the recipe."""
    model: type[BaseModel] = Recipe
    for key in way:
        if isinstance(key, str) and key in model.model_fields:
            model = part_of(model.model_fields[key].annotation) or model
    return list(model.model_fields)


def part_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, Union, types.UnionType, Annotated):
        return next((found for a in get_args(annotation) if (found := part_of(a))), None)
    return None
