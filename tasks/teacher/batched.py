"""Batches under way, in the call store: the file that was handed in, the batch that it became, its questions.

All of it is written before the batch is made, so that a kill at any moment leaves a trace of it; and a question stands
here until an attempt at it is on the books, which the store's writer sees to in one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.teacher.packing import Packing

TABLES = (
    """
create table if not exists batches (
    file text primary key, created integer not null, endpoint text not null, model text not null, batch text not null
) without rowid
""",
    """
create table if not exists batched (
    key text primary key, file text not null, stage text not null, record text not null, max_tokens integer not null,
    request blob not null
) without rowid
""",
)
TAKEN = "delete from batched where key in (select value from json_each(?))"
FORGOTTEN = "delete from batched where record = ?"
DONE = "delete from batches where file not in (select file from batched)"
RUNNING = "select file, created, batch from batches where endpoint = ? and model = ? order by created, file"
MADE = "select exists (select 1 from sqlite_master where name = 'batched')"
WAITING = """
select file, batch, model, count(*) questions from batches join batched using (file)
group by file order by created, file
"""
QUESTIONS = "select key, stage, record, max_tokens, request from batched where file = ? order by key"


@dataclass(frozen=True, slots=True)
class Question:
    """What one line of a batch asks, and for whom: its call key, stage and record, the request without its limit."""

    key: str
    stage: str
    record: str
    max_tokens: int
    request: str


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A file of questions at the endpoint, made at `created` by its clock; `batch` is empty until its id is known."""

    file: str
    created: int
    batch: str = ""
    questions: tuple[Question, ...] = ()


def waiting(link: sqlite3.Connection) -> list[dict[str, Any]]:
    """What was handed in and is not collected yet: file, batch, model and how many questions. `link` gives rows by
    name; a store from before there were batches has none."""
    return [dict(row) for row in link.execute(WAITING)] if link.execute(MADE).fetchone()[0] else []


class Batches:
    """These tables, over a connection of their own."""

    def __init__(self, link: sqlite3.Connection) -> None:
        self.link, self.packing = link, Packing(link)
        self.link.execute("pragma synchronous=full")  # what a batch costs is worth a sync
        self.claimed: set[str] = set()

    def begin(self, handed: HandedIn, endpoint: str, model: str, questions: Sequence[Question]) -> None:
        """Put down a file before its batch is made."""
        pack = self.packing.pack
        rows = [(q.key, handed.file, q.stage, q.record, q.max_tokens, pack(q.request)) for q in questions]
        with self.link:
            self.link.execute(DONE)
            self.link.execute(
                "insert into batches values (?, ?, ?, ?, ?)",
                (handed.file, handed.created, endpoint, model, handed.batch),
            )
            self.link.executemany("insert or replace into batched values (?, ?, ?, ?, ?, ?)", rows)

    def name(self, file: str, batch: str) -> None:
        """Put down which batch a file became."""
        with self.link:
            self.link.execute("update batches set batch = ? where file = ?", (batch, file))

    def forget(self, file: str) -> None:
        """Take out a file that became no batch, or one that came to nothing."""
        with self.link:
            self.link.execute("delete from batched where file = ?", (file,))
            self.link.execute(DONE)

    def left(self, endpoint: str, model: str) -> list[HandedIn]:
        """What earlier runs handed in and did not collect, each given once."""
        with self.link:
            self.link.execute(DONE)
        found = [HandedIn(*row) for row in self.link.execute(RUNNING, (endpoint, model))]
        found = [h for h in found if h.file not in self.claimed]
        self.claimed |= {h.file for h in found}
        return [HandedIn(h.file, h.created, h.batch, self.questions(h.file)) for h in found]

    def questions(self, file: str) -> tuple[Question, ...]:
        rows = self.link.execute(QUESTIONS, (file,)).fetchall()
        unpack = self.packing.unpack
        return tuple(Question(k, stage, record, most, unpack(sent)) for k, stage, record, most, sent in rows)
