"""How far a stage is and how fast, from what is looked at now and then; and the words for it."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.duration import spoken
from tasks.teacher.sight import Sight

RECENT = 10.0  # seconds over which calls are counted
LONGER = 60.0  # seconds over which rows are counted: the time left shall not jump


@dataclass(frozen=True, slots=True)
class Figures:
    """A stage at one moment. `rate` is in rows a second, `calls` in calls a second; `forecast` is what the stage comes
    to in US dollars at what its rows have cost so far. None is not known yet, or asks nobody."""

    stage: str
    rows: int
    done: int
    seconds: float = 0.0
    rate: float = 0.0
    sight: Sight | None = None
    calls: float = 0.0
    forecast: float | None = None

    @property
    def percent(self) -> float:
        return 100 * self.done / self.rows if self.rows else 100.0

    @property
    def left(self) -> float | None:
        """Seconds; None while nothing moves, or while an endpoint is out and nobody knows for how long."""
        out = self.sight and self.sight.out
        return (self.rows - self.done) / self.rate if self.rate > 0 and not out else None


@dataclass(slots=True)
class Pace:
    """Looks at a stage again and again."""

    stage: str
    rows: Callable[[], int]
    done: Callable[[], int]
    look: Callable[[], Sight | None] = lambda: None
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)
    samples: deque[tuple[float, int, int]] = field(default_factory=deque)  # when, rows done, calls sent
    free: int = 0  # rows that were done before the first call was paid

    def __post_init__(self) -> None:
        self.began = self.clock()
        self.samples.append((self.began, 0, 0))

    def now(self) -> Figures:
        at, rows, done, sight = self.clock(), self.rows(), self.done(), self.look()
        spent = sight.asked.spent if sight else None
        sent = spent.calls if spent else 0
        if spent and not sent:
            self.free = done
            if not spent.hits:
                self.samples.clear()  # what an earlier try did stands already: that is no pace
        self.samples.append((at, done, sent))
        while at - self.samples[0][0] > LONGER:
            self.samples.popleft()
        lately = next(s for s in self.samples if at - s[0] <= RECENT)
        paid = spent.usd / (done - self.free) if spent and done > self.free else None
        return Figures(
            self.stage,
            rows,
            done,
            at - self.began,
            rate(done - self.samples[0][1], at - self.samples[0][0]),
            sight,
            rate(sent - lately[2], at - lately[0]),
            spent.usd + paid * (rows - done) if spent and paid is not None else None,
        )


def rate(more: int, seconds: float) -> float:
    return more / seconds if seconds > 0 else 0.0


def line(f: Figures) -> str:
    """All of it in one line."""
    return f"{f.stage:<8} " + "; ".join(filter(None, (f"{f.done} of {f.rows} rows, {moved(f)}", *details(f))))


def moved(f: Figures) -> str:
    """How far, how fast in rows a second, how long still."""
    far = f"{math.floor(f.percent)} %"
    fast = f"{far}, {f.rate:.3g}/s" if f.rate > 0 else far
    return f"{fast}, {spoken(f.left)} left" if f.left is not None else fast


def details(f: Figures) -> list[str]:
    """What a stage that asks a teacher has to say: calls, money, and what holds it up."""
    return [] if f.sight is None else [asking(f.sight, f.calls), paid(f.sight, f.forecast), *held_up(f.sight)]


def asking(s: Sight, calls: float) -> str:
    slots = f"{s.in_flight} in flight of {s.allowed}" + f" (at first {s.most})" * (s.allowed < s.most)
    said = [f"{calls:.3g} calls/s", slots] if s.most else []
    said += [f"{s.batched} in batches"] * bool(s.batched)
    said += [f"{s.asked.turned_away} turned away (429)"] * bool(s.asked.turned_away)
    said += [f"{100 * s.hit_rate:.0f} % from the store"] if s.hit_rate is not None else []
    return ", ".join(said)


def paid(s: Sight, forecast: float | None) -> str:
    spent = s.asked.spent
    tokens = f"{spent.tokens_in:,} tokens in, {spent.tokens_out:,} out"
    if s.unpriced and not spent.usd:
        return f"{tokens}, price unknown"
    return f"{tokens}, USD {spent.usd:.4f}" + (f" of about {forecast:.4f}" if forecast is not None else "")


def held_up(s: Sight) -> list[str]:
    """Each endpoint that keeps calls waiting, and how long still."""
    out = [f"{m} is out: {f'next probe in {math.ceil(w)} s' if w else 'probing now'}" for m, w in s.out.items()]
    return out + [f"{m} wants no calls for {spoken(math.ceil(w))}" for m, w in s.held.items()]
