"""JSON and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from tasks.constraint.kind import Constraint, aspects


@dataclass(frozen=True, slots=True)
class Json(Constraint):
    """One JSON object with at least these keys, without a fence or a word around it."""

    keys: tuple[str, ...] = ()
    sets: ClassVar[frozenset[str]] = aspects("breaks", "layout", "opening", "ending", "headings", "emphasis")
    needs: ClassVar[frozenset[str]] = aspects("case", "marks", "commas", "quotes", "size", "tokens")

    def holds(self, text: str) -> bool:
        found = parsed(text)
        return found is not None and all(key in found for key in self.keys)

    def nearest(self, text: str) -> Self | None:
        """Those of the keys that are there."""
        found = parsed(text) or {}
        kept = tuple(key for key in self.keys if key in found)
        return replace(self, keys=kept) if kept else None

    @property
    def form(self) -> str:
        return "keys" if self.keys else "bare"


def parsed(text: str) -> dict[str, Any] | None:
    """The object that a text is; None for any other text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
