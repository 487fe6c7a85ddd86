"""One limiter for an endpoint: calls in flight, requests and tokens a minute, and a shared not-before gate.

All shards of a run share it, so that one 429 with a Retry-After holds everybody back, and the end of a
shard leaves no hole.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Mapping

from tasks.recipe import Endpoint
from tasks.teacher.slots import Slots

SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")
SECONDS = (86400, 3600, 60, 1, 0.001)
EPOCH = 1e9  # seconds that are no span any more but a moment of this century


class Limiter:
    """Paces calls evenly: what an endpoint takes in a minute is spread over it, not spent in its first second."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.slots = Slots(endpoint.max_in_flight)
        self.rpm = endpoint.rpm
        known = {"both": endpoint.tpm, "input": endpoint.input_tpm, "output": endpoint.output_tpm}
        self.tpm = {what: limit for what, limit in known.items() if limit}
        self.next_request = self.not_before = 0.0
        self.next_tokens = dict.fromkeys(self.tpm, 0.0)

    async def slot(self, tokens_in: int, tokens_out: int, worth_waiting: Callable[[], None]) -> None:
        """Wait for a place in flight and the call's turn; the place is to be given back. The tokens are what it is
        expected to use.

        `worth_waiting` is asked before each wait and before the turn, and raises to leave the queue.
        """
        await self.slots.take()
        try:
            at = self.turn(tokens_in, tokens_out)
            while True:
                worth_waiting()
                wait = max(at, self.not_before) - time.monotonic()
                if wait <= 0:
                    return
                await asyncio.sleep(wait)  # another's 429 may move the gate meanwhile
        except BaseException:
            self.slots.give()
            raise

    def turn(self, tokens_in: int, tokens_out: int) -> float:
        """When this call may be sent; takes its share of the pace."""
        at = max(time.monotonic(), self.not_before, self.next_request, *self.next_tokens.values())
        if self.rpm:
            self.next_request = at + 60 / self.rpm
        tokens = {"both": tokens_in + tokens_out, "input": tokens_in, "output": tokens_out}
        for what, limit in self.tpm.items():
            self.next_tokens[what] = at + tokens[what] * 60 / limit
        return at

    @property
    def held(self) -> float:
        """Seconds until the gate opens."""
        return self.not_before - time.monotonic()

    def hold(self, seconds: float) -> None:
        """Nobody sends anything for so long."""
        self.not_before = max(self.not_before, time.monotonic() + seconds)

    def told(self, headers: Mapping[str, str]) -> None:
        """Heed what an endpoint says of its own limits: where nothing remains, wait until it is filled up again."""
        for what in ("requests", "tokens"):
            if headers.get(f"x-ratelimit-remaining-{what}") == "0":
                self.hold(until(headers.get(f"x-ratelimit-reset-{what}", "")))


def until(text: str) -> float:
    """Seconds from now to a reset: a span, or a moment in seconds or milliseconds since 1970. 0 where it is neither."""
    seconds = span(text)
    if seconds < EPOCH:
        return seconds
    if math.isinf(seconds):
        return 0.0
    return max(0.0, (seconds / 1000 if seconds >= EPOCH * 1000 else seconds) - time.time())


def span(text: str) -> float:
    """Seconds in a text such as `6m0s`, `1.5s`, `20ms` or `3`; 0 where it is none."""
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    found = SPAN.fullmatch(text)
    try:
        return sum(float(n) * s for n, s in zip(found.groups(), SECONDS, strict=True) if n) if found else 0.0
    except ValueError:
        return 0.0
