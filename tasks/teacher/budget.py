"""Caps on what a run spends: reserved before a call is sent, settled when it is answered, never overshot.

A call reserves the most that it can come to: a token is at least a byte of the request, and the response is
no longer than its limit. While others hold what is left of a cap, a call waits for what they give back; only
when nobody does and it still does not fit is the cap reached.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tasks.recipe import Budget, Caps, Price
from tasks.teacher.count import Asked, Count

EXACTLY = 1 + 1e-9  # sums of money are rounded in the last digit


class BudgetReached(Exception):
    """The next call could go beyond a cap; the message names it."""


@dataclass(slots=True)
class Account:
    """What is spent and held under one set of caps. `name` is where the caps stand in the recipe."""

    name: str
    caps: Caps
    spent: Count = field(default_factory=Count)
    held: Count = field(default_factory=Count)

    def full(self, most: Count, held: bool = True) -> str:
        """Which cap has no room for a call that comes to at most this; empty where there is room."""
        for what in ("calls", "tokens", "usd"):
            cap, spent, needs = (getattr(of, what) for of in (self.caps, self.spent, most))
            if cap is None:
                continue
            if spent >= cap:
                return f"{self.name}.{what} of {cap:g} is reached ({spent:g} spent)"
            if spent + getattr(self.held, what) * held + needs > cap * EXACTLY:
                asked = f", {hold:g} asked for" if (hold := getattr(self.held, what) * held) else ""
                so_far = f"{spent:g} spent{asked}"
                return f"{self.name}.{what} of {cap:g} is reached: {so_far}, and a call may come to {needs:g}"
        return ""


class Purse:
    """What a run has spent, and its caps, for the whole run and for each stage that has some.

    `spent` is what this try of it spent; what earlier tries of the same run spent (`begin`) counts towards the caps.
    `asked` has what this try asked, by stage and model.
    """

    def __init__(self, caps: Budget | None = None) -> None:
        caps = caps or Budget()
        self.spent = Count()
        self.asked: defaultdict[tuple[str, str], Asked] = defaultdict(Asked)
        self.unpriced: set[str] = set()  # models that answered and whose price nobody knows
        self.run = Account("budget", caps)
        self.stages = {stage: Account(f"budget.stages.{stage}", part) for stage, part in caps.stages.items()}
        self.settled = asyncio.Event()

    def begin(self, before: dict[str, Count]) -> None:
        """Take up what earlier tries of this run spent, by stage."""
        for stage, spent in before.items():
            self.run.spent += spent
            if stage in self.stages:
                self.stages[stage].spent += spent

    def accounts(self, stage: str) -> list[Account]:
        return [self.run, self.stages[stage]] if stage in self.stages else [self.run]

    def check(self, stage: str = "") -> None:
        """Raises BudgetReached where a cap is reached."""
        for account in self.accounts(stage):
            if said := account.full(Count(), held=False):
                raise BudgetReached(said)

    @asynccontextmanager
    async def reserved(self, stage: str, most: Count, wait: bool = True, sent: bool = False) -> AsyncIterator[Count]:
        """Room for one call that comes to at most `most`; what it does come to is set in the Count that this gives.
        A call that is `sent` already needs no room, but takes it.

        Raises BudgetReached where there is no room and nobody will give any back, or it may not `wait` for that.
        """
        accounts = self.accounts(stage)
        while not sent and (full := next((a for a in accounts if a.full(most)), None)):
            if said := full.full(most, held=not wait):
                raise BudgetReached(said)
            self.settled.clear()
            await self.settled.wait()
        for account in accounts:
            account.held += most
        came_to = Count()
        try:
            yield came_to
        finally:
            self.spent += came_to
            for account in accounts:
                account.held -= most
                account.spent += came_to
            self.settled.set()

    def hit(self, stage: str = "", model: str = "") -> None:
        """Count an answer from the store."""
        for spent in (self.spent, self.asked[stage, model].spent):
            spent.hits += 1


def cost(tokens_in: int, tokens_out: int, price: Price | None) -> float:
    """US dollars for these tokens; nothing where no price is known."""
    return (tokens_in * price.input + tokens_out * price.output) / 1e6 if price else 0.0
