"""A call that is late at the end of a stage is sent a second time; the first answer is taken, the other call ends.

Dean and Barroso, The Tail at Scale, CACM 56(2), 2013. Where others wait for a place a late call holds up nobody, and is
left alone; so only the last few calls are hedged. Both are attempts, and both are in the budget: what the one that was
broken off cost is not told, and is counted as what the other came to.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tasks.teacher.budget import BudgetReached
from tasks.teacher.endings import TeacherUnusable, Unanswered
from tasks.teacher.outcomes import Reply, Verdict

if TYPE_CHECKING:
    from tasks.teacher.asking import Asking

AGAIN = 0.25  # of what is late, until it is looked again whether others wait
ENDED = ("good", "final")
Outcome = tuple[Verdict, Reply | None]


class Race:
    """One request under way, and a second one where it is late. Which of the two was overtaken, and by what, stands in
    the `overtaken` of its Asking."""

    def __init__(self, first: Asking, sent: dict[str, Any]) -> None:
        self.first, self.sent, self.engine, self.pace = first, sent, first.engine, first.engine.pace
        self.kind = (first.stage, first.limit)
        self.other: Asking | None = None
        self.second: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.running = False

    async def run(self) -> Outcome:
        """What the first request came to."""
        began, seconds = self.engine.clock(), self.pace.begun(self.kind, self.first.tried)
        verdict, reply = Verdict("retry", "timed_out", f"no answer in {seconds:g} s"), None
        try:
            try:
                async with asyncio.timeout(None) as self.time:
                    self.watch(seconds)
                    verdict, reply = await self.engine.attempt(self.sent, self.first)
            except TimeoutError:
                pass  # it took too long, or was overtaken
            self.running = False
            if self.second and verdict.kind not in ENDED:
                await asyncio.wait([self.second])
        finally:
            await self.over(verdict, reply)
        if verdict.kind == "good":
            self.pace.took(self.kind, self.engine.clock() - began)
        return verdict, reply

    def watch(self, seconds: float) -> None:
        """Have it looked after once it is late, and ended when its time is up. The timer for its end is set only when
        it is late: nearly every call does with one."""
        self.running = True
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        late = None if self.first.hedge else self.pace.late(self.kind)
        if late is None or late >= seconds:
            self.time.reschedule(ends)
        else:
            self.timer = loop.call_later(late, self.is_late, late, ends)

    def is_late(self, late: float, ends: float) -> None:
        self.time.reschedule(ends)
        self.look(late)

    def look(self, late: float) -> None:
        """It is late: send it again, where nobody waits for a place and enough calls were sent."""
        if self.engine.limiter.slots.waiting or not self.pace.spares():
            self.timer = asyncio.get_running_loop().call_later(late * AGAIN, self.look, late)
            return
        self.other = replace(self.first, hedge=True)
        self.second = asyncio.create_task(self.overtake(self.other))

    async def overtake(self, other: Asking) -> None:
        try:
            outcome = await other.attempt(self.sent)
        except (BudgetReached, TeacherUnusable, Unanswered):
            return  # the first one is still under way
        if outcome[0].kind in ENDED and outcome[1]:  # a refusal of the second says nothing of the first
            self.first.overtaken = outcome
            if self.running:
                self.time.reschedule(asyncio.get_running_loop().time())

    async def over(self, verdict: Verdict, reply: Reply | None) -> None:
        """Break off the second request, where it is still under way."""
        self.running = False
        if self.timer:
            self.timer.cancel()
        if self.second and self.other and not self.second.done():
            self.other.overtaken = (verdict, reply) if reply else None
            self.second.cancel()
            await asyncio.wait([self.second])
