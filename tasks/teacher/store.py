"""The call store: one SQLite file that remembers every answer, so that none is paid for twice.

The key is a call's own: who is asked (endpoint and model), the request, and which sample of it. What
is done with the answer (parsing, gates) and how fast calls are sent stand outside the key. `max_tokens`
does too: an answer that was not cut is good for any larger limit.

Beside the answers stands every attempt: when, for which run and stage, how it ended, how long it took and
what it cost. What a run has spent is counted from there, also after a crash.

One writer commits in groups off the event loop; readers read in WAL mode while it writes. A kill loses
at most the group that was not yet committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from tasks.poured import poured
from tasks.teacher import batched, packing
from tasks.teacher.ahead import Ahead
from tasks.teacher.batched import Batches
from tasks.teacher.count import Count
from tasks.teacher.outcomes import Reply
from tasks.teacher.packing import Packing

GROUP_ROWS = 200
GROUP_SECONDS = 0.02  # from the first of a group, at most: what waits is lost in a kill
ROW_SECONDS = 0.0015  # for each attempt in the group before: where few come each is soon on disk, and where many do,
# small groups would take much CPU time
MAPPED = 2**31  # bytes of the store that are read where they lie, without a copy of each page
AT_ONCE = 500  # rows in a statement; SQLite takes some 32,000 values
Rows = Sequence[tuple[Any, ...]]
TABLES = (
    """
create table if not exists calls (
    key text primary key, outcome text not null, max_tokens integer not null, latency real not null,
    at text not null, request blob not null, reply blob not null
)
""",  # with a rowid: rows of a kilobyte in the tree of the keys itself would make it deep and half empty
    """
create table if not exists attempts (
    run text not null, stage text not null, record text not null, key text not null, at text not null,
    outcome text not null, latency real not null, tokens_in integer not null, tokens_out integer not null,
    usd real not null, model text not null default ''
)
""",
    "create index if not exists attempts_run on attempts (run, stage)",
    packing.TABLE,
    *batched.TABLES,
)
MODEL = "alter table attempts add column model text not null default ''"
ENOUGH = "select count(*) from (select 1 from calls limit ?)"
READ_ALL = "select key, outcome, max_tokens, latency, at, request, reply from calls order by key"
READ_SENT = "select distinct key, record, stage from attempts where stage in (select value from json_each(?))"
PLAIN = json.JSONEncoder(ensure_ascii=False)
REPLY = ("text", "reasoning", "finish", "model", "prompt_tokens", "response_tokens", "tool_calls", "estimated")


@dataclass(frozen=True, slots=True)
class Stored:
    """A call that ended: `outcome` is the name of its verdict, `reply` what was said. `request` is JSON, without
    its limit."""

    key: str
    outcome: str
    max_tokens: int
    latency: float
    at: str
    request: str
    reply: Reply

    def answers(self, max_tokens: int) -> bool:
        """Whether it also answers a call with this limit. A limit may be why an endpoint refused."""
        if self.outcome == "refused_by_endpoint":
            return max_tokens == self.max_tokens
        return self.outcome != "truncated" or max_tokens <= self.max_tokens


class Attempt(NamedTuple):
    """One request that was sent for a record (a prompt's id), and how it ended: a row of the table, but for the run's
    name, which is the store's."""

    stage: str
    record: str
    key: str
    at: str
    outcome: str
    latency: float
    tokens_in: int
    tokens_out: int
    usd: float
    model: str = ""


call_of, answer_of = poured(Stored), poured(Reply)


class CallStore:
    """An open store. Use it as an async context manager; leaving it commits what is left. `run` names this run."""

    def __init__(self, path: Path, run: str = "") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self.run = run
        self.reader = connected(path)
        self.reader.execute(f"pragma mmap_size={MAPPED}")
        self.writer = connected(path)
        with self.writer:
            for statement in TABLES:
                self.writer.execute(statement)
            if not names_models(self.writer):
                self.writer.execute(MODEL)
        self.batches = Batches(connected(path))
        self.asking: dict[str, asyncio.Future[Stored | None]] = {}  # on their way, for all engines
        self.packing, self.ahead = Packing(self.writer), Ahead(self.reader)
        self.learning = not self.packing.trained
        self.waiting: dict[str, Stored] = {}
        self.tried: list[Attempt] = []
        self.flusher: asyncio.Task[None] | None = None
        self.full = asyncio.Event()
        self.timer: asyncio.TimerHandle | None = None
        self.pause = 0.0
        self.flushes: list[asyncio.Future[None]] = []
        self.leaving = False
        self.fault: sqlite3.Error | None = None

    async def __aenter__(self) -> CallStore:
        self.flusher = asyncio.create_task(self.flushing())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.flusher
        self.leaving = True  # not cancelled: a group may be on its way to disk in another thread
        self.full.set()
        await asyncio.gather(self.flusher, return_exceptions=True)
        self.commit(*self.rows(list(self.waiting.values()), self.tried))
        self.batches.link.close()
        self.reader.close()
        self.writer.close()

    def look_up(self, key: str) -> Stored | None:
        """What is stored under a key, without its request. It is read at once: a caller that need not wait is done
        sooner than a statement for many keys could be gathered and handed out."""
        if call := self.waiting.get(key):
            return call
        if not (row := self.ahead.find(key)):
            return None
        *same, reply = row
        return call_of(*same, request="", reply=reply_of(reply))

    def put(self, call: Stored) -> None:
        self.waiting[call.key] = call
        if len(self.waiting) >= GROUP_ROWS:
            self.full.set()
        self.begin()

    def record(self, attempt: Attempt) -> None:
        self.tried.append(attempt)
        self.begin()

    def begin(self) -> None:
        """Have a group written soon; at once where another took longer than that: a slow disk gets large ones."""
        if not self.timer:
            self.timer = asyncio.get_running_loop().call_later(self.pause, self.full.set)

    def spent(self) -> dict[str, Count]:
        """What this run has spent so far, by stage, as far as it is on disk."""
        sums = "select stage, count(*), sum(tokens_in), sum(tokens_out), sum(usd) from attempts where run = ?"
        rows = self.reader.execute(f"{sums} group by stage", (self.run,))
        return {stage: Count(n, 0, *some) for stage, n, *some in rows}

    def writable(self) -> None:
        """Raises what keeps answers from the disk, if something does: none is to be paid for that cannot be kept."""
        if self.fault:
            raise self.fault

    async def flush(self) -> None:
        """Return once every answer so far is on disk; not those that come meanwhile. Raises sqlite3.Error."""
        self.writable()
        if (self.waiting or self.tried) and self.flusher and not self.flusher.done():
            self.flushes.append(asyncio.get_running_loop().create_future())
            self.full.set()
            await self.flushes[-1]
            self.writable()

    async def flushing(self) -> None:
        try:
            while not self.leaving:
                await self.full.wait()
                self.full.clear()
                if self.timer:
                    self.timer.cancel()
                    self.timer = None
                asked = len(self.flushes)
                await self.flushed(list(self.waiting.values()), list(self.tried))
                self.released(asked)
        except sqlite3.Error as fault:
            self.fault = fault
        finally:
            self.released(len(self.flushes))

    async def flushed(self, group: list[Stored], tried: list[Attempt]) -> None:
        """Commit a group, and forget that it waits."""
        if not group and not tried:
            return
        self.pause = min(ROW_SECONDS * len(tried), GROUP_SECONDS)
        await asyncio.to_thread(self.commit, *self.rows(group, tried))
        if self.learning:
            self.train()
        del self.tried[: len(tried)]
        for call in group:
            if self.waiting.get(call.key) is call:
                del self.waiting[call.key]
            self.ahead.forget(call.key)

    def released(self, many: int) -> None:
        """Let the first of those go on who wait for a flush."""
        done, self.flushes = self.flushes[:many], self.flushes[many:]
        for flush in done:
            if not flush.done():
                flush.set_result(None)

    def rows(self, group: list[Stored], tried: list[Attempt]) -> tuple[Rows, Rows]:
        """What is written of calls and of attempts, ready: packed by the loop's own thread, because another would wait
        for a busy loop at each text."""
        pack, packed = self.packing.pack, self.packing.packed
        calls = [
            (c.key, c.outcome, c.max_tokens, c.latency, c.at, pack(c.request), packed(plain(c.reply))) for c in group
        ]
        return calls, [(self.run, *attempt) for attempt in tried]

    def commit(self, calls: Rows, attempts: Rows) -> None:
        """Write a group in few statements: between two of them a busy loop may keep the thread waiting."""
        with self.writer:
            for into, rows in (("insert or replace into calls", calls), ("insert into attempts", attempts)):
                for start in range(0, len(rows), AT_ONCE):
                    some = rows[start : start + AT_ONCE]
                    values = ", ".join([f"({', '.join('?' * len(some[0]))})"] * len(some))
                    self.writer.execute(f"{into} values {values}", [value for row in some for value in row])
            self.writer.execute(batched.TAKEN, (json.dumps([row[3] for row in attempts]),))

    def train(self) -> None:
        """Train the dictionary once there are calls enough to learn from: a fifth of a second, once in a store's life.
        In another thread it would wait for a busy loop at each text, and nothing be written meanwhile."""
        if self.writer.execute(ENOUGH, (packing.ENOUGH,)).fetchone()[0] == packing.ENOUGH:
            rows = self.writer.execute("select request, reply from calls limit ?", (packing.ENOUGH,)).fetchall()
            self.learning = False
            with self.writer:
                self.packing.train([self.packing.unpack(blob) for row in rows for blob in row])


def connected(path: Path) -> sqlite3.Connection:
    link = sqlite3.connect(path, timeout=30, check_same_thread=False)
    link.execute("pragma journal_mode=wal")
    link.execute("pragma synchronous=normal")
    return link


def looking_at(path: Path) -> sqlite3.Connection:
    """A store, to read alone, also while a run writes. Where nothing can be written beside it and nobody does, as on a
    disk that is read-only, it is read as a file that stays as it is: SQLite would want to put a lock there."""
    lone = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    uri = f"{path.absolute().as_uri()}?{'immutable=1' if lone else 'mode=ro'}"
    return sqlite3.connect(uri, timeout=30, uri=True)


def names_models(link: sqlite3.Connection) -> bool:
    """Whether its attempts say which model was asked; those of older stores do not."""
    return any(column[1] == "model" for column in link.execute("pragma table_info(attempts)"))


def stored(path: Path) -> Iterator[Stored]:
    """Every call of a store, in the order of their keys; reads alone, also while a run writes. None where there is no
    store."""
    if not path.is_file():
        return
    with contextlib.closing(looking_at(path)) as link:
        unpacking = Packing(link)
        for found in link.execute(READ_ALL):
            yield stored_of(found, unpacking)


def attempted(path: Path, stages: Iterable[str]) -> dict[str, dict[str, str]]:
    """Which of these stages sent each call, and for which records: key -> prompt id -> stage. The id is empty where a
    stage asks for no record."""
    if not path.is_file():
        return {}
    sent: dict[str, dict[str, str]] = {}
    with contextlib.closing(looking_at(path)) as link:
        for key, record, stage in link.execute(READ_SENT, (json.dumps([*stages]),)):
            sent.setdefault(key, {})[record] = stage
    return sent


def stored_of(found: tuple[Any, ...], unpacking: Packing) -> Stored:
    *same, request, reply = found
    sent = unpacking.unpack(request) if request else ""
    return call_of(*same, request=sent, reply=reply_of(unpacking.unpacked(reply)))


def reply_of(text: bytes) -> Reply:
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:  # a lone surrogate
        said = json.loads(text.decode("utf-8", "surrogatepass"))
    said["tool_calls"] = tuple(said["tool_calls"])
    return answer_of(**said, hit=True)


def plain(reply: Reply) -> bytes:
    """A reply as it is stored: JSON in UTF-8."""
    fields = {k: getattr(reply, k) for k in REPLY}
    try:
        return orjson.dumps(fields)
    except orjson.JSONEncodeError:  # a lone surrogate
        return packing.encoded(PLAIN.encode(fields))
