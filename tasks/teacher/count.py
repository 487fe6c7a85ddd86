"""What calls come to, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self


@dataclass(slots=True)
class Count:
    """Calls sent, answers from the store (hits), tokens, and US dollars.

    `fallbacks` are records that the fallback answered, `estimated` calls whose tokens the endpoint did not tell.
    """

    calls: int = 0
    hits: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    fallbacks: int = 0
    estimated: int = 0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out

    def __add__(self, other: Self) -> Count:
        return Count(
            self.calls + other.calls,
            self.hits + other.hits,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.usd + other.usd,
            self.fallbacks + other.fallbacks,
            self.estimated + other.estimated,
        )

    def add(self, other: Self) -> None:
        """Add to this very count: each call goes into several."""
        self.calls += other.calls
        self.hits += other.hits
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.usd += other.usd
        self.fallbacks += other.fallbacks
        self.estimated += other.estimated

    def take(self, other: Self) -> None:
        """Take calls, tokens and dollars off this very count."""
        self.calls -= other.calls
        self.tokens_in -= other.tokens_in
        self.tokens_out -= other.tokens_out
        self.usd -= other.usd

    def settle(self, tokens_in: int, tokens_out: int, usd: float) -> None:
        """Add what one answer cost."""
        self.tokens_in += tokens_in
        self.tokens_out += tokens_out
        self.usd += usd


@dataclass(slots=True)
class Asked:
    """What one stage asked of one model so far: what that came to, the questions that the store did not hold
    (`missed`), and the attempts that the endpoint turned away for their rate."""

    spent: Count = field(default_factory=Count)
    missed: int = 0
    turned_away: int = 0

    def __add__(self, other: Self) -> Asked:
        return Asked(self.spent + other.spent, self.missed + other.missed, self.turned_away + other.turned_away)
