"""What an endpoint does not take of a request, learnt from its own refusals, once for each engine.

OpenAI's reasoning models want `max_completion_tokens` and no temperature; older servers know only `max_tokens`; some
take no JSON schema, or no `response_format` at all. The store's key is that of the request as the step meant it,
whatever dialect it is sent in: it must not depend on what was found out, or when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

OLD, NEW, FORM = "max_tokens", "max_completion_tokens", "response_format"
NOT_TAKEN = ("unsupported", "not support", "only the default", "not permitted", "unrecognized")
WITH_OTHERS = nullcontext()
HEADSTART = 5.0  # seconds; a form is refused at once, before anything is generated


@dataclass(slots=True)
class Dialect:
    """How requests are put to one endpoint. `form` is how JSON is asked for, which is learnt where the recipe leaves it
    open (`detects`); `settled` says that a first request that asked for JSON was taken, or need not go first."""

    detects: bool = False
    settled: bool = True
    limit: str = OLD
    temperature: bool = True
    form: Literal["json_schema", "json_object", "text"] = "json_schema"
    trying: asyncio.Event | None = None

    def spoken(self, body: dict[str, Any]) -> dict[str, Any]:
        """The request as this endpoint takes it."""
        if self.limit == OLD and self.temperature and self.form == "json_schema":
            return body
        said = {k: v for k, v in body.items() if self.temperature or k != "temperature"}
        if self.form != "json_schema" and said.pop(FORM, None) and self.form == "json_object":
            said[FORM] = {"type": "json_object"}
        return {self.limit if k == OLD else k: v for k, v in said.items()}

    def learn(self, refusal: str) -> None:
        """Take the hint of a refusal, if it is one about the limit's name, the temperature or the form of JSON."""
        said = refusal.lower()
        if self.detects and (FORM in said or "json_schema" in said):
            kind = "type" in said or "schema" in said  # not this one; else none at all
            self.form = "json_object" if kind and self.form == "json_schema" else "text"
        elif any(words in said for words in NOT_TAKEN):
            if NEW in said and self.limit == OLD:
                self.limit = NEW
            if "temperature" in said:
                self.temperature = False

    async def ahead(self, body: dict[str, Any]) -> AbstractContextManager[object]:
        """Leave to send a request within this context: the first one that asks for JSON goes ahead, so that it alone is
        refused."""
        while self.trying and FORM in body and not self.settled:
            try:
                await asyncio.wait_for(self.trying.wait(), HEADSTART)
            except TimeoutError:
                self.settled = True  # it was taken: the answer is on its way
        return WITH_OTHERS if self.settled or FORM not in body else self.alone()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Others who ask for JSON wait until this is left."""
        trying = self.trying = asyncio.Event()
        try:
            yield
        finally:
            self.trying = None
            trying.set()
