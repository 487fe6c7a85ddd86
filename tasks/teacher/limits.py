"""One limiter for an endpoint: calls in flight, requests and tokens a minute, and a shared not-before gate.

All shards of a run share it, so that one 429 with a Retry-After holds everybody back, and the end of a
shard leaves no hole.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Limiter:
    """Paces calls evenly: `rpm` and `tpm` are spread over the minute, not spent in its first second."""

    def __init__(self, in_flight: int, rpm: int | None = None, tpm: int | None = None) -> None:
        self.slots = asyncio.Semaphore(in_flight)
        self.rpm, self.tpm = rpm, tpm
        self.next_request = self.next_tokens = self.not_before = 0.0

    @asynccontextmanager
    async def slot(self, tokens: int) -> AsyncIterator[None]:
        """A place in flight, once the call's turn has come. `tokens` is what it is expected to use."""
        async with self.slots:
            at = self.turn(tokens)
            while time.monotonic() < max(at, self.not_before):  # another's 429 may move the gate while this waits
                await asyncio.sleep(max(at, self.not_before) - time.monotonic())
            yield

    def turn(self, tokens: int) -> float:
        """When this call may be sent; takes its share of the pace."""
        now = time.monotonic()
        at = now
        if self.rpm:
            at = max(at, self.next_request)
            self.next_request = at + 60 / self.rpm
        if self.tpm:
            at = max(at, self.next_tokens)
            self.next_tokens = at + tokens * 60 / self.tpm
        return at

    def hold(self, seconds: float) -> None:
        """Nobody sends anything for so long."""
        self.not_before = max(self.not_before, time.monotonic() + seconds)
