"""Stored calls by key, read ahead: a block of neighbours at once, where look-ups come in the order of the writes.

A run that is made again asks in about the order in which it asked before, and so its answers lie side by side. One of
a block comes cheaper than one by its key, which goes down the tree of all keys and lets other threads have the
interpreter. Look-ups in another order read no blocks: it takes several of them in one, one soon after the other.
"""

from __future__ import annotations

from collections import Counter, deque
from sqlite3 import Connection
from typing import Any

from tasks.teacher.packing import Packing

BLOCK = 256  # calls by number of row: what 512 in flight make is out of order by about two blocks
ENOUGH, RECENT = 4, 64  # look-ups that fell in one block, of so many, and the rest of it is read
KEPT = 16  # blocks, some 10 MiB of long answers: a row is forgotten once it is found, a block once others have come
ONE = "select key, outcome, max_tokens, latency, at, reply, rowid from calls where key = ?"
OLDER = "select key, outcome, max_tokens, latency, at, reply, null from calls where key = ?"
MANY = "select key, outcome, max_tokens, latency, at, reply from calls where rowid >= ? and rowid < ?"
Row = tuple[Any, ...]  # of these columns, the reply unpacked


class Ahead:
    """The calls of a store for one that looks them up."""

    def __init__(self, link: Connection) -> None:
        self.link = link
        self.unpacking = Packing(link)
        self.rows: dict[str, Row] = {}
        self.blocks: deque[list[str]] = deque()
        self.lone: Counter[int] = Counter()
        made = str(link.execute("select sql from sqlite_master where name = 'calls'").fetchone()[0])
        self.one = OLDER if "without rowid" in made else ONE  # what lies in the tree of the keys has no neighbours

    def find(self, key: str) -> Row | None:
        if row := self.rows.pop(key, None):
            return row
        found = self.link.execute(self.one, (key,)).fetchone()
        if not found:
            return None
        *same, reply, number = found
        if number is not None:
            self.alone(number // BLOCK)
        return (*same, self.unpacking.unpacked(reply))

    def forget(self, key: str) -> None:
        """The call was written anew."""
        self.rows.pop(key, None)

    def alone(self, block: int) -> None:
        """A call of this block was looked up by itself."""
        self.lone[block] += 1
        if self.lone[block] == ENOUGH:
            self.read(block)
        if self.lone.total() == RECENT:
            self.lone.clear()

    def read(self, block: int) -> None:
        found = self.link.execute(MANY, (block * BLOCK, (block + 1) * BLOCK)).fetchall()
        replies = self.unpacking.all_unpacked([row[-1] for row in found])
        rows: dict[str, Row] = {row[0]: (*row[:-1], reply) for row, reply in zip(found, replies, strict=True)}
        self.rows |= rows
        self.blocks.append([*rows])
        if len(self.blocks) > KEPT:
            for key in self.blocks.popleft():
                self.rows.pop(key, None)
