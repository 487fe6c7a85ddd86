"""A small model of one's own that learns a task type from the teacher and answers the rest of it."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from tasks.recipe.endpoints import Endpoint
from tasks.recipe.part import Part

Command = Annotated[list[str], Field(min_length=1)]


class Form(Part):
    """What code can check of an answer's form. All that is given must hold, and the record's own constraints too."""

    json_keys: dict[str, list[str]] = Field(
        default={},
        description="The answer is a JSON object with just these keys, each with one of the values listed; [] for any.",
    )
    labels: list[str] = Field(default=[], description="The answer is one of these texts.")
    regex: str = Field(default="", description="The whole answer fits this regular expression.")
    constraints: list[dict[str, Any]] = Field(
        default=[], description="Constraints of complex_instruct, each with its kind, such as {kind: words, most: 50}."
    )

    @field_validator("regex")
    @classmethod
    def compiles(cls, regex: str) -> str:
        try:
            re.compile(regex)
        except re.error as fault:
            raise ValueError(f"no regular expression: {fault}") from None
        return regex


class Served(Part):
    """A model behind an endpoint, and the command that serves it there."""

    at: Endpoint = Field(description="The endpoint and the model's name there.")
    serve: Command | None = Field(
        default=None,
        description="A command as a list of arguments that serves the model for as long as it is asked, and is ended "
        "then. Left out where the endpoint stands already, or the training starts it.",
    )
    wait: float = Field(default=300, gt=0, description="Seconds until it answers at /models, at most.")

    @model_validator(mode="after")
    def live(self) -> Served:
        if self.at.batch or self.at.recorded:
            raise ValueError("at: a small model is asked live; take `batch` and `recorded` out")
        if self.serve and not self.at.base_url:
            raise ValueError("at: name the base_url that `serve` serves, such as http://127.0.0.1:8000/v1")
        return self


class SmallModelAnswers(Served):
    """A model that is trained on the teacher's answers to one task type, and answers the rest of it.

    Commands are lists of arguments that no shell reads; {train} and {held_out} are JSON Lines of chat messages, {model}
    is a folder for the model. The environment has the same as FLYWHEEL_TRAIN, FLYWHEEL_HELD_OUT and FLYWHEEL_MODEL.
    It learns from answers in the form that the judge and the row gates let pass, and from rows that were published.
    A plan reckons with `rows` answers of the teacher and as if the model were good enough for the rest.
    """

    task_type: str = Field(description="The task type that it learns, of the first level.")
    rows: int = Field(
        default=1000,
        ge=50,
        description="Answers of the teacher to learn from, as far as they pass the form, the judge and the row gates; "
        "as many are asked for as the last version lacks.",
    )
    holdout: float = Field(default=0.1, gt=0, le=0.5, description="Share of them that it is measured on instead.")
    train: Command = Field(description="The command that trains it. It runs once for the same files and arguments.")
    timeout: float = Field(default=86_400, gt=0, description="Seconds that the training may take.")
    before: Served | None = Field(
        default=None, description="The untrained model: asked the held-out prompts too, so that both rates are known."
    )
    form: Form = Field(default=Form(), description="What an answer must look like; what does not, the teacher answers.")
    least: float = Field(
        default=0.95,
        ge=0,
        le=1,
        description="Share of the held-out prompts that it must answer in the form; below, the teacher answers all.",
    )
    agrees: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="Share of the held-out prompts that it must answer as the teacher did, where the form lists every "
        "answer there is (labels, values of json_keys); below, the teacher answers all.",
    )
    temperature: float = Field(default=0.0, ge=0, le=2, description="How freely its answers are drawn.")
