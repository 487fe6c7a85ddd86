"""The circuit breaker of an endpoint: when every call fails, all wait, and one at a time tries whether it is back.

Nygard, Release It!, chapter 5. While the circuit is open a failure costs no record an attempt. An endpoint that
answered before is waited for as long as the recipe says; one that never did is given up soon: its address is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

OPENS_AFTER = 12
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Passage:
    """Leave to send one call; `spares` the record an attempt should it fail, since the endpoint is known to be away."""

    spares: bool


FREE, PROBE = Passage(spares=False), Passage(spares=True)


class Circuit:
    """Closed while calls succeed. `outage` is how many seconds it may stay open, `probes` how often an endpoint that
    never answered is tried; `notice` is told whenever that changes."""

    def __init__(self, outage: float, probes: int, pause: float, notice: Callable[[str], object]) -> None:
        self.outage, self.probes, self.pause, self.notice = outage, probes, pause, notice
        self.answered = False
        self.failures = 0
        self.tries = 0
        self.since = self.retry_at = 0.0
        self.probing = False
        self.changed = asyncio.Event()

    @property
    def open(self) -> bool:
        return self.failures >= OPENS_AFTER

    @property
    def waits(self) -> float:
        """Seconds until the next try; 0 while calls go through."""
        return max(0.0, self.retry_at - time.monotonic()) if self.open else 0.0

    async def passage(self) -> Passage:
        """Leave to send a call: at once, or as the one that tries, or when the endpoint is back. Ends with `leave`."""
        while self.open and (self.probing or self.waits):
            self.changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), None if self.probing else self.waits)
        self.probing = self.open
        return PROBE if self.probing else FREE

    def leave(self, passage: Passage) -> None:
        """The call of a passage has ended."""
        if passage is PROBE:
            self.probing = False
            self.changed.set()

    def succeeded(self) -> None:
        """The endpoint answered, if only to turn the call away."""
        if self.open:
            self.notice(f"it answers again after {time.monotonic() - self.since:.0f} s")
            self.changed.set()
        self.answered, self.failures, self.tries = True, 0, 0

    def failed(self, why: str, passage: Passage) -> bool:
        """Count a failure; gives whether the endpoint is to be given up."""
        self.failures += 1
        if self.failures == OPENS_AFTER:
            self.since = time.monotonic()
        elif not passage.spares:  # one of those that were under way when it opened
            return False
        self.tries += 1
        left = self.outage - (time.monotonic() - self.since)
        if left <= 0 if self.answered else self.tries > self.probes:
            return True
        pause = min(LONGEST_PAUSE, self.pause * 2**self.tries)
        self.retry_at = time.monotonic() + pause
        until = f"gives up in {left:.0f} s" if self.answered else f"try {self.tries} of {self.probes}"
        self.notice(f"it does not answer ({why}): trying again in {pause:.1f} s, {until}")
        return False
