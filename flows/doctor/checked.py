"""What one check of the doctor came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Checked:
    """`said` is what was found; `do` what to do about it, empty where nothing is to be done."""

    check: str
    state: Literal["ok", "warning", "problem"]
    said: str
    do: str = ""

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def ok(check: str, said: str) -> Checked:
    return Checked(check, "ok", said)


def warning(check: str, said: str, do: str) -> Checked:
    return Checked(check, "warning", said, do)


def problem(check: str, said: str, do: str) -> Checked:
    return Checked(check, "problem", said, do)
