"""What an endpoint does not take of a request, learnt from its own refusals, once for each engine.

OpenAI's reasoning models want `max_completion_tokens` and no temperature; older servers know only
`max_tokens`. The store's key is that of the request as the step meant it, whatever dialect it is sent in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OLD, NEW = "max_tokens", "max_completion_tokens"
NOT_TAKEN = ("unsupported", "not support", "not supported", "only the default", "not permitted", "unrecognized")


@dataclass(slots=True)
class Dialect:
    """How requests are put to one endpoint."""

    limit: str = OLD
    temperature: bool = True

    def spoken(self, body: dict[str, Any]) -> dict[str, Any]:
        """The request as this endpoint takes it."""
        said = {k: v for k, v in body.items() if self.temperature or k != "temperature"}
        return {self.limit if k == OLD else k: v for k, v in said.items()}

    def learn(self, refusal: str) -> None:
        """Take the hint of a refusal, if it is one about the limit's name or the temperature."""
        said = refusal.lower()
        if not any(words in said for words in NOT_TAKEN):
            return
        if NEW in said and self.limit == OLD:
            self.limit = NEW
        if "temperature" in said:
            self.temperature = False
