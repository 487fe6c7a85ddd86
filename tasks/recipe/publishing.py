"""What is published: where, what counts as the same, which side of the split, and what must hold before."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from tasks.recipe.part import Part
from tasks.recipe.rows import RowChecks

Shape = Literal["openai", "sharegpt", "alpaca", "swift", "preference"]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def of_folder(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("it names a folder: a letter or a digit, then letters, digits, `.`, `_` and `-`, at most 100")
    return name


Name = Annotated[str, AfterValidator(of_folder)]
Number = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]


class Output(Part):
    """Where the dataset is kept."""

    dir: str = Field(default="data/lake", description="The lake: one folder for each dataset.")
    name: Name = Field(default="weekly", description="The dataset's name: letters, digits, `.`, `_` and `-`.")
    exports: list[Shape] = Field(
        default=["openai", "sharegpt", "alpaca", "swift", "preference"],
        description="The shapes that a version holds its rows in, beside Parquet; each is one more copy, uncompressed. "
        "preference: only rows with rejected answers.",
    )

    keep: int | None = Field(
        default=None,
        ge=1,
        description="Versions that stay on disk, the newest; all when left out. The one in force and its parent, one "
        "that was rolled back to, and pinned ones always stay.",
    )
    pinned: list[Number] = Field(default=[], description="Versions that `keep` never removes, such as 1.4.0.")


class Deployment(Part):
    """A Prefect deployment; its flow gets the parameters `path` and `version`."""

    deployment: str = Field(pattern=r"^[^/]+/[^/]+$", description="flow/name, such as train/weekly.")
    wait: bool = Field(default=False, description="Wait until its run ends.")


class Publish(Part):
    """What a new version sets off."""

    then: Annotated[list[str], Field(min_length=1)] | Deployment | None = Field(
        default=None,
        description="After the commit: a command as a list of arguments with {path}, {version} and {dataset}, or "
        "{deployment: train/weekly}.",
    )

    @field_validator("then", mode="before")
    @classmethod
    def not_a_line(cls, then: Any) -> Any:
        if isinstance(then, str):
            raise ValueError("expected a list of arguments, such as [./train.sh, '{path}']; no shell reads it")
        return then


class Gates(Part):
    """What must hold of each row, and of the whole dataset before it is published."""

    suite: str = Field(default="data/gates/default.yaml", description="Rules with severities; a critical one blocks.")
    rows: RowChecks = Field(default=RowChecks(), description="What must hold of each row.")


class Dedup(Part):
    """What counts as the same."""

    threshold: float = Field(
        default=0.7, gt=0, le=1, description="Jaccard similarity of shingles from which prompts are one."
    )
    answer_threshold: float = Field(
        default=0.7, gt=0, le=1, description="The same for answers, where prompts are close too."
    )
    close: float = Field(
        default=0.5, gt=0, le=1, description="From here on two prompts are close: one side of the split."
    )
    max_answer_share: float = Field(default=0.02, gt=0, le=1, description="Most rows with one answer text, as a share.")
    max_answer_rows: int = Field(default=20, ge=1, description="And never fewer than this many.")


class Split(Part):
    """Shares of the rows that go to validation and test; clusters stay whole."""

    validation: float = Field(default=0.05, ge=0, lt=1, description="Share of the rows for validation.")
    test: float = Field(default=0.05, ge=0, lt=1, description="Share of the rows for test.")

    @model_validator(mode="after")
    def leaves_train(self) -> Split:
        if self.validation + self.test >= 1:
            raise ValueError(f"validation {self.validation:g} and test {self.test:g} leave nothing to train on")
        return self
