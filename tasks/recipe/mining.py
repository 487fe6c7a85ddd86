"""Which prompts are worth an answer, and in what form they are asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.recipe.part import Part


class Clean(Part):
    """What may be taken out of a text before it is asked and published. Fenced code is never touched."""

    html: bool = Field(default=False, description="Strip HTML tags and decode entities.")
    boilerplate: list[str] = Field(default=[], description="Lines to take out, as they stand (ads, signatures).")


class Mine(Part):
    """Which prompts are worth a teacher's answer."""

    languages: list[Literal["en", "zh"]] = Field(default=["en", "zh"], description="Others are dropped.")
    min_units: int = Field(default=3, ge=0, description="Shortest ask in words, or characters of Chinese.")
    max_units: int = Field(default=8000, ge=1, description="Longest conversation in words, or characters of Chinese.")


class Label(Part):
    """Two-level task type and domain for every record."""

    taxonomy: str = Field(default="data/taxonomy.yaml", description="The team's own task types and domains, or ours.")
    temperature: float = Field(default=0.0, ge=0, le=2, description="How freely a label is drawn; 0 for the likeliest.")
    reasks: int = Field(default=1, ge=0, description="How often a reply that is not the JSON asked for is asked again.")
