"""What a call store holds, for who only looks: answers by key, and some calls of a stage to judge others by."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Connection

from tasks.teacher.packing import Packing
from tasks.teacher.store import Stored, connected, stored_of

LATEST = 1000  # calls of a stage that are looked at
READ = "select key, outcome, max_tokens, latency, at, null, reply from calls where key = ?"
READ_LATEST = """
select c.key, c.outcome, c.max_tokens, c.latency, c.at, c.request, c.reply
from attempts a join calls c on c.key = a.key and c.outcome = a.outcome
where a.stage = ? order by a.rowid desc limit ?
"""


class Known:
    """A store's calls; none where `link` is None."""

    def __init__(self, link: Connection | None) -> None:
        self.link = link
        self.unpacking = Packing(link) if link else None

    def get(self, key: str) -> Stored | None:
        """The call under a key, without its request."""
        if not self.link or not self.unpacking:
            return None
        found = self.link.execute(READ, (key,)).fetchone()
        return stored_of(found, self.unpacking) if found else None

    def latest(self, stage: str) -> list[Stored]:
        """The last calls that a stage made, with their requests."""
        if not self.link or not self.unpacking:
            return []
        return [stored_of(row, self.unpacking) for row in self.link.execute(READ_LATEST, (stage, LATEST))]


@contextlib.contextmanager
def known(path: Path) -> Iterator[Known]:
    """What stands in the store at a path; no store is made where there is none."""
    if not path.is_file():
        yield Known(None)
        return
    with contextlib.closing(connected(path)) as link:
        yield Known(link)
