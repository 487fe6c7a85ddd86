"""Where logs come from, and how much of them may be unreadable."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from tasks.recipe.part import Moment, Part


class Mapping(Part):
    """Where a log line keeps what; dotted paths. The defaults are the shape of the project's samples."""

    id: str = Field(default="id", description="The row's own id; without one, its content stands for it.")
    time: str = Field(
        default="created_at", description="When it was asked: ISO 8601, or seconds or milliseconds since 1970."
    )
    messages: str = Field(default="messages", description="The turns, the last one what is asked (or its answer).")
    response: str = Field(default="response", description="What the logged model answered.")
    conversation: str = Field(default="conversation_id", description="The session that the turn belongs to.")
    user: str = Field(default="user_id", description="Who asked; kept as a hash only.")
    model: str = Field(default="model", description="The logged model.")
    vote: str = Field(default="feedback", description="up or down, thumbs, 1 or -1.")
    tools: str = Field(default="tools", description="The declared tools, as a list or as JSON text.")
    input: str = Field(default="", description="Text that goes with what is asked; none where it is empty.")
    system: str = Field(default="", description="A system turn that stands beside the turns; none where it is empty.")


READY = {
    "own": Mapping(),
    "openai": Mapping(
        time="ts",
        messages="request.messages",
        response="response.choices.0.message.content",
        conversation="request.metadata.session_id",
        user="request.user",
        model="request.model",
        tools="request.tools",
    ),
    "sharegpt": Mapping(messages="conversations", system="system"),
    "alpaca": Mapping(messages="instruction", response="output", input="input", system="system"),
}


def mapped(given: Any) -> Any:
    """A ready-made mapping by its name. Raises ValueError with the nearest name."""
    if not isinstance(given, str):
        return given
    if given in READY:
        return READY[given]
    near = difflib.get_close_matches(given, READY, 1) or READY
    raise ValueError(f"there is no ready mapping {given}; did you mean {' or '.join(near)}")


class Source(Part):
    """Where logs come from."""

    uri: str = Field(description="A file (JSON Lines, JSON, CSV or Parquet), a folder of them, or a glob.")
    name: str = Field(
        default="logs", description="Names this source in log ids; give two sources with clashing row ids two names."
    )
    mapping: Annotated[Mapping, BeforeValidator(mapped)] = Field(
        default=Mapping(), description="Where a log line keeps what; or openai, sharegpt, alpaca or own."
    )
    delimiter: str | None = Field(
        default=None, pattern=r'^[^"\r\n]$', description="Between the cells of CSV; found where it is left out."
    )
    since: Moment | None = Field(default=None, description="Rows asked before this are left alone (inclusive bound).")


class Pulling(Part):
    """How much of the logs may be unreadable before the run stops: by then the file or its mapping is wrong."""

    max_unreadable_share: float = Field(
        default=0.5, ge=0, le=1, description="Of the new lines of a file, and of a source, from 20 lines on."
    )
    max_unreadable_rows: int | None = Field(default=None, ge=0, description="New unreadable lines in a source.")
