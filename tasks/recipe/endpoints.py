"""Models behind an API, what they cost, and what a run may spend."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.recipe.part import Part


class Price(Part):
    """US dollars for a million tokens."""

    input: float = Field(ge=0, description="USD for a million prompt tokens.")
    output: float = Field(ge=0, description="USD for a million response tokens.")


class Endpoint(Part):
    """A model behind an OpenAI-compatible API."""

    base_url: str | None = Field(
        default=None, description="Ends in /v1 as a rule. Default: OPENAI_BASE_URL, else OpenAI."
    )
    model: str | None = Field(default=None, description="The model's name as the endpoint knows it.")
    api_key_env: str = Field(default="OPENAI_API_KEY", description="The environment variable that holds the key.")
    max_in_flight: int = Field(default=64, ge=1, description="Calls under way at once.")
    rpm: int | None = Field(default=None, ge=1, description="Requests a minute.")
    tpm: int | None = Field(default=None, ge=1, description="Tokens a minute, prompt and response.")
    input_tpm: int | None = Field(default=None, ge=1, description="Prompt tokens a minute.")
    output_tpm: int | None = Field(default=None, ge=1, description="Response tokens a minute.")
    timeout: float = Field(default=120, gt=0, description="Seconds before a call counts as hung.")
    attempts: int = Field(default=5, ge=1, description="How often a call that fails in passing is tried.")
    patience: float = Field(default=600, ge=0, description="Seconds that a call waits through rate limits in all.")
    outage: float = Field(
        default=900, ge=0, description="Seconds to wait for an endpoint that answered before and does not any more."
    )
    price: Price | None = Field(
        default=None, description="USD for a million tokens. Default: what a table of public prices says of the model."
    )
    licence: str = Field(default="", description="Licence of the model's output; stamped on every row.")
    structured: Literal["json_schema", "json_object", "text"] = Field(
        default="json_schema", description="How the endpoint is asked for JSON."
    )
    recorded: str | None = Field(default=None, description="A file of recorded answers to replay instead of a model.")


class Caps(Part):
    """Caps on what is spent; none by default."""

    usd: float | None = Field(default=None, ge=0, description="Money.")
    tokens: int | None = Field(default=None, ge=0, description="Prompt and response tokens.")
    calls: int | None = Field(default=None, ge=0, description="Calls sent.")


class Budget(Caps):
    """Caps for one run, never overshot. What does not fit is pending and goes on with the next run."""

    stages: dict[Literal["label", "answer", "judge"], Caps] = Field(
        default={}, description="Caps of their own for label, answer or judge."
    )

    at_cap: Literal["wait", "publish"] = Field(
        default="wait",
        description="What is answered when a cap is reached: waits for the next run, or is judged and "
        "published as far as the other caps allow.",
    )

    @property
    def counts_money(self) -> bool:
        return any(caps.usd is not None for caps in (self, *self.stages.values()))
