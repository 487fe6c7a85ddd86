"""Who is told how a run ended, and of which ends."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from tasks.recipe.part import Part

End = Literal["published", "nothing_new", "blocked", "budget", "teacher", "failed"]


class Notify(Part):
    """A command, a webhook, or both get the figures of a run as JSON: counts and gates, no text of any row."""

    command: list[str] = Field(default=[], description="A program and its arguments; the JSON comes on its stdin.")
    webhook: str | None = Field(default=None, description="A URL that gets the JSON by POST.")
    webhook_env: str | None = Field(
        default=None, description="The environment variable that holds the URL, where it is a secret."
    )
    when: list[End] = Field(
        default=["blocked", "budget", "teacher", "failed"], description="Ends to tell of; failed is any other fault."
    )
    timeout: float = Field(default=10, gt=0, le=300, description="Seconds that a hook may take.")

    @field_validator("webhook")
    @classmethod
    def addressed(cls, url: str | None) -> str | None:
        """The URL is not repeated in what is wrong with it: it may be a secret."""
        if url is not None and (fault := misaddressed(url)):
            raise ValueError(f"{fault}; expected http:// or https:// and a host")
        return url


def misaddressed(url: str) -> str:
    """What is wrong with a webhook's address, without the address; empty where nothing is."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if "@" in url.partition("?")[0]:
        return "the URL holds a name or a password, which belongs in webhook_env"
    return "" if known else "this is no URL"
