"""Which checks each row must pass."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.recipe.part import Part


class RowChecks(Part):
    """Row by row; false switches a check off. A row that breaks one ends as `gated:<check>`."""

    empty: bool = Field(default=True, description="There is an answer.")
    refused: bool = Field(default=True, description="It does not open with a refusal.")
    echoed: bool = Field(default=True, description="It does not repeat the question.")
    personal_data: bool = Field(default=True, description="It holds no personal data that the question did not.")
    wrong_language: bool = Field(default=True, description="It is in the language of the question.")
    broken_fence: bool = Field(default=True, description="Every code fence is closed.")
    truncated: bool = Field(default=True, description="It does not break off in a sentence, a list or a table.")
    chatter: Literal["keep", "tag", "drop"] = Field(
        default="tag",
        description="Rows whose answer begins like “Sure! Here is …:” or ends like “I hope this helps!”: tagged "
        "`chatter`, dropped, or kept as they are.",
    )
    broken_code: bool = Field(default=True, description="Code that a fence names is taken by its language's parser.")
    bad_tool_call: bool = Field(default=True, description="Calls are of declared tools, with arguments that fit.")
    not_json: bool = Field(default=True, description="It is JSON where JSON alone was asked for.")
    constraints_unmet: bool = Field(
        default=True, description="It keeps every constraint that its record has; see complex_instruct."
    )
    loose_punctuation: float = Field(
        default=0.5, ge=0, le=1, description="Most of a Chinese answer's marks that are half-width or unpaired; 1: off."
    )

    @property
    def off(self) -> tuple[str, ...]:
        """The checks that are not made."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is False)
