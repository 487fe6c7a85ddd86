"""Models behind an API, what they cost, and what a run may spend."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from tasks.recipe.part import Part
from tasks.recipe.secrets import keyed


class Price(Part):
    """US dollars for a million tokens."""

    input: float = Field(ge=0, description="USD for a million prompt tokens.")
    output: float = Field(ge=0, description="USD for a million response tokens.")


class Batch(Part):
    """The Batch API of OpenAI and others (files and batches): questions are handed in as files, and their answers come
    within 24 hours, mostly sooner, at half the price.

    A run waits for them; one that is killed finds its batches when it starts again, and hands nothing in twice.
    """

    price: float = Field(default=0.5, gt=0, le=1, description="What a call costs, as a share of its price when live.")
    requests: int = Field(default=50_000, ge=1, description="Questions in a batch, at most; OpenAI takes 50,000.")
    megabytes: float = Field(default=200, gt=0, description="Size of a batch's file, at most; OpenAI takes 200.")
    quiet: float = Field(default=5, ge=0, description="A batch is sent when nothing was asked for so many seconds.")
    poll: float = Field(default=60, gt=0, description="Seconds between two looks at a batch, at most.")


def switched(given: Any) -> Any:
    """`batch: true` is a batch with the defaults, `batch: false` none."""
    return {} if given is True else None if given is False else given


def keyless(url: str | None) -> str | None:
    """An address without a key in it. Raises ValueError."""
    if url and keyed(url):
        raise ValueError("it holds a key, which Prefect would store; put it into the variable that api_key_env names")
    return url


class Endpoint(Part):
    """A model behind an OpenAI-compatible API."""

    base_url: Annotated[str | None, AfterValidator(keyless)] = Field(
        default=None, description="Ends in /v1 as a rule. Default: OPENAI_BASE_URL, else OpenAI."
    )
    model: str | None = Field(default=None, description="The model's name as the endpoint knows it.")
    api_key_env: str = Field(default="OPENAI_API_KEY", description="The environment variable that holds the key.")
    max_in_flight: int = Field(default=64, ge=1, description="Calls under way at once.")
    senders: int | None = Field(
        default=None,
        ge=0,
        le=16,
        description="Processes of their own that send the calls, which a single one cannot where very many are under "
        "way; 0: the run sends them itself. Default: 1 from 384 max_in_flight up, where there are two cores; else 0.",
    )
    rpm: int | None = Field(default=None, ge=1, description="Requests a minute.")
    tpm: int | None = Field(default=None, ge=1, description="Tokens a minute, prompt and response.")
    input_tpm: int | None = Field(default=None, ge=1, description="Prompt tokens a minute.")
    output_tpm: int | None = Field(default=None, ge=1, description="Response tokens a minute.")
    timeout: float = Field(
        default=120,
        gt=0,
        description="Seconds before a call counts as hung; fewer (10 at least) where its like are answered soon.",
    )
    hedge: float = Field(
        default=0.01,
        ge=0,
        le=0.1,
        description="Share of the calls that may be sent a second time, when they are late at the end of a stage and "
        "all else waits for them. The endpoint may charge both; the budget counts both. 0: never.",
    )
    attempts: int = Field(default=5, ge=1, description="How often a call that fails in passing is tried.")
    patience: float = Field(default=600, ge=0, description="Seconds that a call waits through rate limits in all.")
    outage: float = Field(
        default=900, ge=0, description="Seconds to wait for an endpoint that answered before and does not any more."
    )
    price: Price | None = Field(
        default=None, description="USD for a million tokens. Default: what a table of public prices says of the model."
    )
    batch: Annotated[Batch | None, BeforeValidator(switched)] = Field(
        default=None,
        description="`true`, or settings, to ask through the Batch API: answers within 24 hours at half the price, so "
        "each stage of a run may take a day. The rows are the same. Default: live calls.",
    )
    licence: str = Field(default="", description="Licence of the model's output; stamped on every row.")
    structured: Literal["auto", "json_schema", "json_object", "text"] = Field(
        default="auto",
        description="How the endpoint is asked for JSON. auto: by a schema; where it refuses that, as an object or in "
        "words alone. An answer that is stored is found again whichever it was.",
    )
    recorded: str | None = Field(default=None, description="A file of recorded answers to replay instead of a model.")

    @property
    def at_once(self) -> int:
        """How many questions it takes at once."""
        return self.batch.requests if self.batch else self.max_in_flight


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
