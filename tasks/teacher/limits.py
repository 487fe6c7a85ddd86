"""One limiter for an endpoint: calls in flight, requests and tokens a minute, and a shared not-before gate.

All shards of a run share it, so that one 429 with a Retry-After holds everybody back, and the end of a
shard leaves no hole.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Limiter:
    """Paces calls evenly: `rpm` and `tpm` are spread over the minute, not spent in its first second."""

    def __init__(self, in_flight: int, rpm: int | None = None, tpm: int | None = None) -> None:
        self.slots = asyncio.Semaphore(in_flight)
        self.rpm, self.tpm = rpm, tpm
        self.next_request = self.next_tokens = self.not_before = 0.0

    @asynccontextmanager
    async def slot(self, tokens: int, worth_waiting: Callable[[], None]) -> AsyncIterator[None]:
        """A place in flight, once the call's turn has come. `tokens` is what it is expected to use.

        `worth_waiting` is asked before each wait and before the turn, and raises to leave the queue.
        """
        async with self.slots:
            at = self.turn(tokens)
            while True:
                worth_waiting()
                wait = max(at, self.not_before) - time.monotonic()
                if wait <= 0:
                    break
                await asyncio.sleep(wait)  # another's 429 may move the gate meanwhile
            yield

    def turn(self, tokens: int) -> float:
        """When this call may be sent; takes its share of the pace."""
        at = max(time.monotonic(), self.not_before, self.next_request, self.next_tokens)
        if self.rpm:
            self.next_request = at + 60 / self.rpm
        if self.tpm:
            self.next_tokens = at + tokens * 60 / self.tpm
        return at

    @property
    def held(self) -> float:
        """Seconds until the gate opens."""
        return self.not_before - time.monotonic()

    def hold(self, seconds: float) -> None:
        """Nobody sends anything for so long."""
        self.not_before = max(self.not_before, time.monotonic() + seconds)
