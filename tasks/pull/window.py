"""Which rows of a source a run takes, by when they were asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` (inclusive) until `until` (exclusive), UTC."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, moment: datetime) -> bool:
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


def resumed(mark: datetime | None, overlap: timedelta, now: datetime) -> datetime | None:
    """From when on a database is asked, with all up to `mark` read but for late rows. Where a row is dated ahead of
    the clock, its time does not say what was read: the source is asked whole until the clock has come there."""
    return mark - overlap if mark and mark <= now else None
