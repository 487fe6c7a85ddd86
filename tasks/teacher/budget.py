"""Caps on what a run spends. A call is counted before it is sent; its tokens and money when it is answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from tasks.recipe import Budget, Price


class BudgetReached(Exception):
    """The next call would go beyond a cap; the message names it."""


@dataclass(slots=True)
class Purse:
    """What a run has spent, and its caps."""

    caps: Budget = field(default_factory=Budget)
    calls: int = 0
    hits: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out

    def reserve(self) -> None:
        """Count one call. Raises BudgetReached where a cap is reached."""
        for what in ("calls", "tokens", "usd"):
            cap, spent = getattr(self.caps, what), getattr(self, what)
            if cap is not None and spent >= cap:
                raise BudgetReached(f"budget.{what} of {cap:g} is reached ({spent:g} spent)")
        self.calls += 1

    def settle(self, prompt_tokens: int, response_tokens: int, price: Price | None) -> float:
        """Count what an answer cost; gives the money."""
        usd = (prompt_tokens * price.input + response_tokens * price.output) / 1e6 if price else 0.0
        self.tokens_in += prompt_tokens
        self.tokens_out += response_tokens
        self.usd += usd
        return usd
