"""One call on its way: attempts until one of them ends it, and after each what its outcome class demands."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tasks.duration import spoken
from tasks.teacher.budget import cost
from tasks.teacher.circuit import Passage
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer, Unanswered
from tasks.teacher.outcomes import Reply, Verdict
from tasks.teacher.race import Outcome, Race
from tasks.teacher.store import Attempt, Stored

if TYPE_CHECKING:
    from tasks.teacher.engine import Engine

INTERRUPTED = Verdict("retry", "interrupted")
OVERTAKEN = Verdict("retry", "overtaken")
BELIEVED = 4  # a server that asks for too little, again and again, is believed less and less


@dataclass(slots=True)
class Asking:
    """A request under `key`. `tried` attempts failed, `throttled` ones were turned away; `patience` is what is left
    of the seconds that it may wait for its turn; `sent` says that an earlier run sent it and nobody collected it;
    `hedge` that it is the second of two, one of which is `overtaken` by what the other came to."""

    engine: Engine
    key: str
    body: dict[str, Any]
    request: str
    count: Count
    stage: str
    record: str
    sent: bool = False
    tried: int = 0
    throttled: int = 0
    spared: bool = False
    patience: float = 0.0
    latency: float = 0.0
    at: str = ""
    hedge: bool = False
    overtaken: Outcome | None = None

    @property
    def limit(self) -> int:
        """Tokens that the answer may have."""
        return self.body.get("max_tokens", 0)

    async def answered(self) -> Stored:
        """Raises NoAnswer, Unanswered, BudgetReached, TeacherUnusable, or sqlite3.Error where the store is full."""
        self.patience = self.engine.endpoint.patience
        while True:
            with await self.engine.dialect.ahead(self.body):
                sent = self.engine.dialect.spoken(self.body)
                verdict, reply = await self.attempt(sent)
                if self.engine.learnt(verdict, reply, self.body, sent):
                    continue
            match verdict.kind:
                case "good" | "final":
                    return self.kept(verdict, reply)
                case "stop":
                    self.engine.stop(verdict)
                case "throttled":
                    await asyncio.sleep(self.turned_away(verdict))
                case "retry":
                    await asyncio.sleep(self.failed(verdict))

    async def attempt(self, sent: dict[str, Any]) -> Outcome:
        """One request in its turn, paid for and recorded."""
        engine = self.engine
        most = engine.most(self.request, self.limit)
        passage = await engine.turn(most, self.worth_waiting)
        try:
            wait = engine.live and not self.hedge
            with await engine.purse.reserved(self.stage, most, wait, self.sent) as came_to:
                self.worth_waiting()
                return await self.made(sent, came_to, passage)
        finally:
            engine.leave(passage)

    async def made(self, sent: dict[str, Any], came_to: Count, passage: Passage) -> Outcome:
        """The request itself; whatever ends it, it is on the books."""
        engine = self.engine
        began, self.at = engine.clock(), datetime.now(UTC).isoformat(timespec="milliseconds")
        verdict, reply = INTERRUPTED, None
        try:
            verdict, reply = await (Race(self, sent).run() if engine.live else engine.attempt(sent, self))
            reply = reply and reply.counted(self.body)
        finally:
            self.latency = engine.clock() - began
            if self.overtaken:
                verdict, reply = (
                    OVERTAKEN,
                    replace((self.overtaken[1] or Reply("")).counted(self.body), estimated=True),
                )
            if engine.live or verdict is not INTERRUPTED:  # a batch goes on without who sent it
                self.booked(verdict, reply, came_to)
        if engine.live and not self.overtaken:
            self.heeded(verdict, began, passage)
        return self.overtaken or (verdict, reply)

    def booked(self, verdict: Verdict, reply: Reply | None, came_to: Count) -> None:
        """Count an attempt and what it cost, and put it down in the store."""
        engine, model = self.engine, self.body["model"] or ""
        came_to.calls = 1
        if reply:
            tokens = reply.prompt_tokens, reply.response_tokens
            came_to.settle(*tokens, cost(*tokens, engine.endpoint.price))
            came_to.estimated = int(reply.estimated)
            engine.heard(reply.model)
            if engine.unpriced:
                engine.purse.unpriced.add(model)
        asked = engine.purse.asked[self.stage, model]
        asked.turned_away += verdict.kind == "throttled"
        asked.spent.add(came_to)
        self.count.add(came_to)
        spent = (came_to.tokens_in, came_to.tokens_out, came_to.usd)
        sent_for = (self.stage, self.record, self.key)
        engine.store.record(Attempt(*sent_for, self.at, verdict.name, self.latency, *spent, model))

    def heeded(self, verdict: Verdict, began: float, passage: Passage) -> None:
        """What the limiter and the circuit learn from an attempt."""
        if verdict.kind == "throttled":
            self.engine.limiter.slots.turned_away(began)
        elif verdict.kind == "retry" and verdict.name != "empty_answer":
            self.spared = passage.spares
            if self.engine.circuit.failed(verdict.name, passage):
                kind = "no_such_api" if verdict.name == "bad_body" else "unreachable"
                self.engine.stop(Verdict("stop", kind, f"{verdict.name}: {verdict.said}"))
            return
        else:
            self.engine.limiter.slots.answered()
        self.engine.circuit.succeeded()

    def kept(self, verdict: Verdict, reply: Reply | None) -> Stored:
        said = reply or Reply(verdict.said)
        call = Stored(self.key, verdict.name, self.limit, self.latency, self.at, self.request, said)
        if verdict.name == "refused_by_endpoint":
            self.engine.refused(call)
        elif verdict.name != "not_recorded":
            self.engine.taken()
            self.engine.keep(call)
        return call

    def turned_away(self, verdict: Verdict) -> float:
        """Too many requests: nobody sends anything for a while. Costs no attempt, but patience.

        Where the endpoint does not say for how long and takes other calls, fewer in flight are enough: this call alone
        waits, for the seconds that this gives.
        """
        self.throttled += 1
        nth = self.throttled - BELIEVED if verdict.wait else self.throttled
        pause = max(verdict.wait or 0, self.engine.pause(nth))
        self.patience -= pause
        alone = verdict.wait is None and self.engine.limiter.slots.probing
        if not alone:
            self.engine.limiter.hold(pause)
        if self.patience < 0:
            raise Unanswered(f"{self.engine.named} kept limiting the rate")
        return pause if alone else 0.0

    def failed(self, verdict: Verdict) -> float:
        """Seconds to wait before another attempt. Raises where there is none."""
        if self.spared:
            self.spared = False
            return 0.0  # the circuit says when to try again
        engine = self.engine
        self.tried += 1
        if self.tried >= engine.endpoint.attempts or (verdict.wait or 0) > self.patience:
            if verdict.name == "empty_answer":
                raise NoAnswer("empty_answer")
            raise Unanswered(f"{verdict.name} {verdict.said}")
        return max(verdict.wait or 0, engine.pause(self.tried))

    def worth_waiting(self) -> None:
        """Raises what makes it useless to wait for a turn."""
        engine = self.engine
        if self.sent:
            return
        engine.store.writable()
        if engine.dead:
            raise engine.dead
        if engine.limiter.held > engine.endpoint.patience:
            raise Unanswered(f"{engine.named} wants no calls for another {spoken(engine.limiter.held)}")
        engine.purse.check(self.stage)
