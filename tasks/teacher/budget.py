"""Caps on what a run spends: reserved before a call is sent, settled when it is answered, never overshot.

A call reserves the most that it can come to: a token is at least a byte of the request, and the response is
no longer than its limit. While others hold what is left of a cap, a call waits for what they give back; only
when nobody does and it still does not fit is the cap reached.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from tasks.recipe import Budget, Caps, Price
from tasks.teacher.count import Asked, Count

EXACTLY = 1 + 1e-9  # sums of money are rounded in the last digit


class BudgetReached(Exception):
    """The next call could go beyond a cap; the message names it."""


class Account:
    """What is spent and held under one set of caps. `name` is where the caps stand in the recipe."""

    def __init__(self, name: str, caps: Caps) -> None:
        self.name = name
        whole = {what: getattr(caps, what) for what in ("calls", "tokens", "usd")}
        self.caps = {what: cap for what, cap in whole.items() if cap is not None}
        self.spent, self.held = Count(), Count()

    def full(self, most: Count, held: bool = True) -> str:
        """Which cap has no room for a call that comes to at most this; empty where there is room."""
        for what, cap in self.caps.items():
            spent, needs = getattr(self.spent, what), getattr(most, what)
            if spent >= cap and (cap or needs):  # where nothing may be spent, what is free may still be asked
                return f"{self.name}.{what} of {cap:g} is reached ({spent:g} spent)"
            if spent + getattr(self.held, what) * held + needs > cap * EXACTLY:
                asked = f", {hold:g} asked for" if (hold := getattr(self.held, what) * held) else ""
                so_far = f"{spent:g} spent{asked}"
                return f"{self.name}.{what} of {cap:g} is reached: {so_far}, and a call may come to {needs:g}"
        return ""


@dataclass(slots=True)
class Room:
    """Held for a call that comes to at most `most`. The block gets the Count to set what it does come to, which is
    settled when it is left."""

    purse: Purse
    accounts: list[Account]
    most: Count
    came_to: Count = field(default_factory=Count)

    def __enter__(self) -> Count:
        for account in self.accounts:
            account.held.add(self.most)
        return self.came_to

    def __exit__(self, *_: object) -> None:
        self.purse.spent.add(self.came_to)
        for account in self.accounts:
            account.held.take(self.most)
            account.spent.add(self.came_to)
        self.purse.settled.set()


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
            self.run.spent.add(spent)
            if stage in self.stages:
                self.stages[stage].spent.add(spent)

    def accounts(self, stage: str) -> list[Account]:
        return [self.run, self.stages[stage]] if stage in self.stages else [self.run]

    def check(self, stage: str = "") -> None:
        """Raises BudgetReached where a cap is reached."""
        for account in self.accounts(stage):
            if said := account.full(Count(), held=False):
                raise BudgetReached(said)

    async def reserved(self, stage: str, most: Count, wait: bool = True, sent: bool = False) -> Room:
        """Room for one call that comes to at most `most`, to be entered at once. A call that is `sent` already needs no
        room, but takes it.

        Raises BudgetReached where there is no room and nobody will give any back, or it may not `wait` for that.
        """
        accounts = self.accounts(stage)
        while not sent and (full := next((a for a in accounts if a.full(most)), None)):
            if said := full.full(most, held=not wait):
                raise BudgetReached(said)
            self.settled.clear()
            await self.settled.wait()
        return Room(self, accounts, most)

    def hit(self, stage: str = "", model: str = "") -> None:
        """Count an answer from the store."""
        for spent in (self.spent, self.asked[stage, model].spent):
            spent.hits += 1


def cost(tokens_in: int, tokens_out: int, price: Price | None) -> float:
    """US dollars for these tokens; nothing where no price is known."""
    return (tokens_in * price.input + tokens_out * price.output) / 1e6 if price else 0.0
