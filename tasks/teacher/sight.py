"""What the engines behind a stage do at this moment, for whoever watches a run. Reads counters, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.step import room
from tasks.teacher.ask import Answerer
from tasks.teacher.count import Asked
from tasks.teacher.engine import Engine
from tasks.teacher.tiers import teachers


@dataclass(frozen=True, slots=True)
class Sight:
    """`asked` is what the stage came to in this try of the run. `in_flight` calls are out, `allowed` may be for now and
    `most` by the recipe; `batched` questions wait in batches. `out` has the seconds to the next probe of each model
    whose endpoint is away, `held` the seconds that a model's endpoint wants no calls."""

    asked: Asked = field(default_factory=Asked)
    in_flight: int = 0
    allowed: int = 0
    most: int = 0
    batched: int = 0
    unpriced: bool = False
    out: Mapping[str, float] = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)

    @property
    def hit_rate(self) -> float | None:
        """The share of questions that the store answered; None before any was looked up."""
        return share(self.asked.spent.hits, self.asked.missed)


def share(hits: int, missed: int) -> float | None:
    return hits / (hits + missed) if hits + missed else None


def sight(step: object, engines: Mapping[str, Answerer]) -> Sight | None:
    """The engines that a step may ask, as one; None where it asks nobody."""
    asking = {id(t.engine): t.engine for t in teachers(step, engines)}
    found = [e for e in asking.values() if isinstance(e, Engine)]
    if not found:
        return None
    live = [e.limiter.slots for e in found if e.live]
    stage = room(step)
    return Sight(
        sum((a for (asks, _), a in found[0].purse.asked.items() if asks == stage), Asked()),
        sum(s.in_flight for s in live),
        sum(int(s.allowed) for s in live),
        sum(s.most for s in live),
        len(found[0].asking) if len(live) < len(found) else 0,
        any(e.unpriced for e in found),
        {called(e): e.circuit.waits for e in found if e.circuit.open},
        {called(e): e.limiter.held for e in found if e.limiter.held > 0 and not e.circuit.open},
    )


def strangers(engines: Mapping[str, Answerer]) -> list[str]:
    """A sentence for each endpoint that answered under other names than that of its model."""
    found = {id(e): e for e in engines.values() if isinstance(e, Engine) and e.strangers}
    return [f"{called(e)} at {e.named} answered as {', '.join(sorted(e.strangers))}" for e in found.values()]


def called(engine: Engine) -> str:
    return engine.endpoint.model or engine.named
