"""A change of a few characters in a text, and how several are put in at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Edit:
    """`new` in the place of the characters from `start` to `end`; `kind` says what sort of slip it is."""

    start: int
    end: int
    new: str
    kind: str


def apart(edits: Iterable[Edit], most: int, dice: Random) -> list[Edit]:
    """At most so many of them, drawn by chance, of which no two touch, in the order of the text."""
    drawn = list(edits)
    dice.shuffle(drawn)
    kept: list[Edit] = []
    for edit in drawn:
        if len(kept) < most and all(edit.end < k.start or k.end < edit.start for k in kept):
            kept.append(edit)
    return sorted(kept, key=lambda e: e.start)


def applied(text: str, edits: Sequence[Edit]) -> str:
    """The text with edits that do not overlap, given in its order."""
    for edit in reversed(edits):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text
