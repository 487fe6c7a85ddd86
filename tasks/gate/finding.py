"""What a rule came to: the line that a card, a report, `flywheel gates` and a notification show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """What was observed, by how much it misses what was expected, and in which rows (the first three).

    `passed` is None where the rule could not be looked at: no student in the recipe, no version before this one.
    Nothing in it is text of a row.
    """

    rule: str
    severity: str
    passed: bool | None
    observed: str
    expected: str
    rows: tuple[str, ...] = ()

    @property
    def blocks(self) -> bool:
        return self.passed is False and self.severity == "critical"

    def plain(self) -> dict[str, Any]:
        return asdict(self) | {"rows": list(self.rows)}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Finding:
        """The reverse of `plain`; versions of before rows were named have none."""
        known: dict[str, Any] = plain | {"rows": tuple(plain.get("rows", ()))}
        return cls(**known)

    @property
    def mark(self) -> str:
        return {True: "✓", False: "✗", None: "–"}[self.passed]

    def __str__(self) -> str:
        rows = f" (rows {', '.join(self.rows)})" if self.rows else ""
        return f"{self.rule}: {self.observed}, expected {self.expected}{rows}"


def blocking(findings: Iterable[dict[str, Any]]) -> str:
    """Which critical gates do not hold, and by how much; empty when none blocks."""
    return "; ".join(f"gate {f}" for f in map(Finding.of, findings) if f.blocks)
