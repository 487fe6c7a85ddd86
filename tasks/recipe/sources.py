"""Where logs come from, and how much of them may be unreadable."""

from __future__ import annotations

import difflib
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tasks.recipe.part import Moment, Part
from tasks.recipe.secrets import secret_in


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


DATABASES = ("postgresql", "postgres", "mysql", "mariadb", "sqlite", "oracle", "mssql")
KEPT_APART = (
    "name the environment variable that holds it in password_env, or leave it to the storage's own variables, such as "
    "AWS_SECRET_ACCESS_KEY"
)


class Source(Part):
    """Where logs come from: files here or behind a URL, or a database."""

    uri: str = Field(
        min_length=1,
        description="A file (JSON Lines, JSON, CSV or Parquet), a folder of them or a glob, here or at any fsspec URL "
        "(s3://, gs://, https://, sftp://, zip://…); or a database as an SQLAlchemy URL (postgresql://, sqlite:///…).",
    )
    name: str = Field(
        default="logs", description="Names this source in log ids; give two sources with clashing row ids two names."
    )
    mapping: Annotated[Mapping, BeforeValidator(mapped, Mapping | Literal["own", "openai", "sharegpt", "alpaca"])] = (
        Field(default=Mapping(), description="Where a log line keeps what; or openai, sharegpt, alpaca or own.")
    )
    delimiter: str | None = Field(
        default=None, pattern=r'^[^"\r\n]$', description="Between the cells of CSV; found where it is left out."
    )
    since: Moment | None = Field(default=None, description="Rows asked before this are left alone (inclusive bound).")
    table: str | None = Field(default=None, description="The table or view of a database, with its schema if need be.")
    query: str | None = Field(default=None, description="Instead of a table: one SELECT, which may change nothing.")
    overlap: timedelta = Field(
        default=timedelta(days=3),
        ge=timedelta(0),
        description="How late a row may come into a database. Where its time column is one of dates and times, a run "
        "asks only for rows newer than the latest one read so far less this; what comes in later is never read, but by "
        "--since. Any other time column is read whole every time.",
    )
    password_env: str | None = Field(
        default=None, description="The environment variable that holds the password for the uri, which has none in it."
    )
    storage: dict[str, Any] = Field(
        default={}, description="Options of the storage behind a URL, such as endpoint_url or anon; no secrets."
    )

    @property
    def scheme(self) -> str:
        """What stands before `://`, without a driver; empty for a path."""
        return self.uri.partition("://")[0].partition("+")[0].lower() if "://" in self.uri else ""

    @property
    def database(self) -> bool:
        return self.scheme in DATABASES or bool(self.table or self.query)

    @property
    def remote(self) -> bool:
        """Whether its files are behind a URL."""
        return self.scheme not in ("", "file") and not self.database

    @model_validator(mode="after")
    def whole(self) -> Self:
        if where := secret_in(self.uri, self.storage):
            raise ValueError(f"{where} holds a secret, which Prefect would store; {KEPT_APART}")
        if self.table and self.query:
            raise ValueError("there are both a table and a query; name one of them")
        if self.database and not (self.table or self.query):
            raise ValueError("a database needs a table, or a query that is one SELECT")
        if self.database and not self.scheme:
            raise ValueError(
                "table and query are for a database; uri should be one, such as postgresql://user@host/name"
            )
        return self


class Pulling(Part):
    """How much of the logs may be unreadable before the run stops: by then the file or its mapping is wrong."""

    max_unreadable_share: float = Field(
        default=0.5, ge=0, le=1, description="Of the new lines of a file, and of a source, from 20 lines on."
    )
    max_unreadable_rows: int | None = Field(default=None, ge=0, description="New unreadable lines in a source.")
