"""The model that is to be trained: by what it counts length, and how it reads a conversation."""

from __future__ import annotations

from pydantic import Field

from tasks.recipe.part import Part


class Student(Part):
    """Local files only; nothing is fetched."""

    tokenizer: str = Field(description="Its tokenizer.json.")
    chat_template: str | None = Field(
        default=None,
        description="A chat_template.jinja or tokenizer_config.json; what stands beside the tokenizer when left out.",
    )
    max_sequence: int = Field(default=8192, ge=1, description="Longest conversation in its tokens; longer are dropped.")
