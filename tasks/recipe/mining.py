"""Which prompts are worth an answer, and in what form they are asked."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tasks.recipe.part import Part

RULES = ["not_text", "no_words", "greeting", "small_talk", "gibberish", "length", "language", "relevance"]


class Clean(Part):
    """What may be taken out of a text before it is asked and published. Fenced code is never touched, nor is a row
    tagged `robust`."""

    html: bool = Field(default=False, description="Strip HTML tags and decode entities.")
    boilerplate: list[str] = Field(default=[], description="Lines to take out, as they stand (ads, signatures).")
    normalise: list[Literal["width", "simplified", "filler", "dates", "numbers", "currency"]] = Field(
        default=[], description="Forms to unify in the text itself; for matching, case, width and script always are."
    )


class Relevance(Part):
    """Words and phrases of the team's domain, in any case, width and script."""

    include: list[str] = Field(default=[], description="The user must have said one of these; [] for no such demand.")
    exclude: list[str] = Field(default=[], description="What is asked must hold none of these.")


class Repeats(Part):
    """What one user may ask in a day (UTC), and what many paste. Days with fewer than 20 users are left alone."""

    user_rows: int = Field(
        default=200, ge=1, description="Most rows of one user in a day, or the share if that is more."
    )
    user_share: float = Field(default=0.05, gt=0, le=1, description="Most rows of one user, as a share of the day's.")
    alike: int = Field(default=20, ge=1, description="Most asks of one user in a day that begin or end alike.")
    pasted_users: int = Field(default=5, ge=2, description="A line that so many users ask in a day is boilerplate.")
    pasted_share: float = Field(
        default=0.9, gt=0, le=1, description="Share of boilerplate from which a row is dropped."
    )


class Mine(Part):
    """Which prompts are worth a teacher's answer."""

    rules: list[str] = Field(default=RULES, description="Which rules, in order; a team's own as path.py:Class.")
    settings: dict[str, dict[str, Any]] = Field(
        default={}, description="Settings of a team's own rules, by their name."
    )
    languages: list[Literal["en", "zh"]] = Field(default=["en", "zh"], min_length=1, description="Others are dropped.")
    min_units: int = Field(default=3, ge=0, description="Shortest ask in words, or characters of Chinese.")
    max_units: int = Field(default=8000, ge=1, description="Longest conversation in words, or characters of Chinese.")
    relevance: Relevance = Field(default=Relevance(), description="What the team's product is about.")
    repeats: Repeats = Field(default=Repeats(), description="How often one user, or one line, may come.")
    benchmarks: list[str] = Field(default=[], description="Files of benchmark questions, which no prompt may hold.")


class SmallModel(Part):
    """A classifier on this machine that learns the teacher's labels and gives those that it can tell."""

    teacher_labels: int = Field(
        default=1000, ge=50, description="Labels to learn from; as many are asked for as the last version lacks."
    )
    confidence: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="Share of its own labels that must agree with the teacher's, measured on held-out ones; what it "
        "is less sure of the teacher labels.",
    )


class Label(Part):
    """Two-level task type and domain for every record."""

    taxonomy: str = Field(default="data/taxonomy.yaml", description="The team's own task types and domains, or ours.")
    temperature: float = Field(default=0.0, ge=0, le=2, description="How freely a label is drawn; 0 for the likeliest.")
    reasks: int = Field(default=1, ge=0, description="How often a reply that is not the JSON asked for is asked again.")
    small_model: SmallModel | None = Field(
        default=None,
        description="Let a small model learn from the teacher's labels; {} for its defaults.",
    )
