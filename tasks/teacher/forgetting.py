"""Take answers out of a call store for good, by age or by record; for whoever holds the dataset.

The dictionary that packs the store's texts (packing.py) is made of pieces of them. So with the answers it goes too, and
what is left is packed anew by one that was trained on nothing else.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from tasks.teacher import batched
from tasks.teacher.calls import reading
from tasks.teacher.packing import ENOUGH, Packing
from tasks.teacher.store import connected

EVER = "select exists (select 1 from attempts where record = ?)"
OF_RECORD = "delete from calls where key in (select key from attempts where record = ?)"
OF_AGE = "delete from calls where at < ?"
REPACKED = (
    "update calls set request = renewed(request), reply = renewed(reply)",
    "update batched set request = renewed(request)",
)


def asked(path: Path, record: str) -> bool:
    """Whether anything was ever asked for a record, kept or not."""
    with reading(path) as link:
        return bool(link.execute(EVER, (record,)).fetchone()[0])


def forget(path: Path, before: str = "", record: str = "") -> int:
    """Delete the answers from before a moment (ISO 8601, UTC), or those for a record; gives how many. What was spent
    stays on the books."""
    with contextlib.closing(connected(path)) as link:
        link.execute("pragma secure_delete=on")
        with link:
            for table in batched.TABLES:
                link.execute(table)
            gone = link.execute(OF_RECORD if record else OF_AGE, (record or before,)).rowcount
            if record:
                link.execute(batched.FORGOTTEN, (record,))
            if gone:
                renew(link)
        link.execute("vacuum")
        link.execute("pragma wal_checkpoint(truncate)")
    return gone


def renew(link: sqlite3.Connection) -> None:
    """Pack all texts by a dictionary of their own, within the transaction that is open. They are many: a second for
    some ten thousand."""
    old = Packing(link)
    if not old.trained:
        return
    some = link.execute("select request, reply from calls limit ?", (ENOUGH,)).fetchall()
    link.execute("delete from dictionaries")
    new = Packing(link)
    new.train([old.unpack(blob) for row in some for blob in row])
    link.create_function("renewed", 1, lambda blob: new.pack(old.unpack(blob)))
    for table in REPACKED:
        link.execute(table)
