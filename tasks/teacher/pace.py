"""How long an endpoint takes, and so which calls are late, and which will never be answered.

Calls of one stage with one limit on their answer are compared with each other: a label takes a second where an answer
takes a minute. Late is what 99 in 100 are not. A call that takes several times as long counts as hung, long before the
recipe's timeout; each further attempt gets twice that time, so that a slow answer is cut off once and not for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

KNOWN = 1000  # the latest answers of a kind are what others are compared with
ENOUGH, EVERY = 100, 50
LATE = 0.99
SOONEST = 0.5  # seconds; to ask again sooner than that saves nothing
HUNG, SHORTEST = 5, 10.0


class Pace:
    """`timeout` is the recipe's; `share` of the calls may be sent a second time."""

    def __init__(self, timeout: float, share: float) -> None:
        self.timeout, self.share = timeout, share
        self.sent = self.hedged = 0
        self.seconds: dict[Hashable, deque[float]] = {}
        self.slowest: dict[Hashable, float] = {}

    def took(self, kind: Hashable, seconds: float) -> None:
        """An answer of this kind took so long."""
        known = self.seconds.setdefault(kind, deque(maxlen=KNOWN))
        known.append(seconds)
        if len(known) >= ENOUGH and (kind not in self.slowest or self.sent % EVERY == 0):
            self.slowest[kind] = sorted(known)[int(LATE * len(known))]

    def late(self, kind: Hashable) -> float | None:
        """Seconds after which an answer of this kind is late; None where too few are known."""
        slowest = self.slowest.get(kind)
        return None if slowest is None or not self.share else max(SOONEST, slowest)

    def begun(self, kind: Hashable, tried: int) -> float:
        """Count a request of this kind; gives the seconds that it has, after so many that failed."""
        self.sent += 1
        slowest = self.slowest.get(kind)
        return self.timeout if slowest is None else min(self.timeout, max(SHORTEST, HUNG * slowest) * 2**tried)

    def spares(self) -> bool:
        """Whether one more call may be sent a second time; counts it."""
        if self.hedged + 1 > self.share * self.sent:
            return False
        self.hedged += 1
        return True
