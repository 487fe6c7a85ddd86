"""What a reader finds in a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """A text as Markdown, or the reason why there is none; `place` says where in the file, empty for all of it."""

    place: str = ""
    text: str = ""
    reason: str = ""
    detail: str = ""


class Unreadable(ValueError):
    """The rest of a file cannot be read; `reason` is a name to count by."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail
