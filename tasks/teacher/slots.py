"""How many calls may be in flight: as many as the endpoint bears, found out from what it turns away.

No library adapts this, so it is ours. A call that is turned away (429) sets the limit a little under what
was in flight, which is what the endpoint did bear; calls of one wave count as one sign, and never cost
more than seven eighths of the limit. From then on the limit grows, by less than one call in a round trip
at first and twice as fast after every four quiet ones: near the edge it probes with few calls, and far
from it it is soon back.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

DEEPEST = 8
SLOWEST = 1 / 128
QUIET = 4


class Slots:
    """Places in flight, at most `most`; `allowed` of them for now."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.allowed = float(most)
        self.in_flight = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.wave = 0.0
        self.floor = 1.0
        self.quiet = 0
        self.probing = False

    async def take(self) -> float:
        """Wait for a place; gives when it was got."""
        if self.in_flight >= int(self.allowed) or self.waiting:
            place = asyncio.get_running_loop().create_future()
            self.waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self.give()  # it was handed over in the moment that its taker left
                raise
        else:
            self.in_flight += 1
        return time.monotonic()

    def give(self) -> None:
        """Give a place back, to whoever waits longest."""
        self.in_flight -= 1
        self.hand_over()

    def hand_over(self) -> None:
        while self.waiting and self.in_flight < int(self.allowed):
            place = self.waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)

    def turned_away(self, sent: float) -> None:
        """A call that was sent at this time was turned away; it still holds its place."""
        if sent >= self.wave:
            self.probing = self.quiet > 0  # others were taken since the last one: the endpoint bears a little less
            self.wave = time.monotonic()
            self.floor = max(1.0, self.allowed / DEEPEST)
        self.quiet = 0
        self.allowed = max(self.floor, min(self.allowed, self.in_flight - 1))

    def answered(self) -> None:
        """A call was taken."""
        self.quiet += 1
        if self.allowed < self.most:
            round_trips = self.quiet / self.allowed
            self.allowed = min(self.most, self.allowed + min(1.0, SLOWEST * 2 ** (round_trips / QUIET)))
            self.hand_over()
