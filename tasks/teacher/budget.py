"""Caps on what a run spends. A call is counted before it is sent; its tokens and money when it is answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from tasks.recipe import Budget, Price
from tasks.teacher.count import Count


class BudgetReached(Exception):
    """The next call would go beyond a cap; the message names it."""


@dataclass(slots=True)
class Purse:
    """What a run has spent, and its caps."""

    caps: Budget = field(default_factory=lambda: Budget())
    spent: Count = field(default_factory=Count)

    def check(self) -> None:
        """Raises BudgetReached where a cap is reached."""
        for what in ("calls", "tokens", "usd"):
            cap, spent = getattr(self.caps, what), getattr(self.spent, what)
            if cap is not None and spent >= cap:
                raise BudgetReached(f"budget.{what} of {cap:g} is reached ({spent:g} spent)")

    def reserve(self) -> None:
        """Count one call. Raises BudgetReached where a cap is reached."""
        self.check()
        self.spent.calls += 1


def cost(tokens_in: int, tokens_out: int, price: Price | None) -> float:
    """US dollars for these tokens; nothing where no price is known."""
    return (tokens_in * price.input + tokens_out * price.output) / 1e6 if price else 0.0
