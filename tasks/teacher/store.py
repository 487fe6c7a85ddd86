"""The call store: one SQLite file that remembers every answer, so that none is paid for twice.

The key is a call's own: who is asked (endpoint and model), the request, and which sample of it. What
is done with the answer (parsing, gates) and how fast calls are sent stand outside the key. `max_tokens`
does too: an answer that was not cut is good for any larger limit.

One writer commits in groups off the event loop; readers read in WAL mode while it writes. A kill loses
at most the group that was not yet committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import zstandard

from tasks.teacher.outcomes import Reply

SCHEMA_VERSION = 1
GROUP_ROWS = 200
GROUP_SECONDS = 0.05
TABLE = """
create table if not exists calls (
    key text primary key, outcome text not null, max_tokens integer not null, latency real not null,
    at text not null, request blob not null, reply blob not null
) without rowid
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A call that ended: `outcome` is the name of its verdict, `reply` what was said."""

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


def call_key(identity: str, body: dict[str, Any], sample: int) -> str:
    """The key of a call: sha256 over who is asked, the request without its limit, and the sample number."""
    asked = {k: v for k, v in body.items() if k != "max_tokens"}
    text = json.dumps([SCHEMA_VERSION, identity, asked, sample], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class CallStore:
    """An open store. Use it as an async context manager; leaving it commits what is left."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self.reader = connected(path)
        self.writer = connected(path)
        self.writer.execute(TABLE)
        self.writer.commit()
        self.waiting: dict[str, Stored] = {}
        self.flusher: asyncio.Task[None] | None = None
        self.full = asyncio.Event()
        self.leaving = False

    async def __aenter__(self) -> CallStore:
        self.flusher = asyncio.create_task(self.flushing())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.flusher
        self.leaving = True  # not cancelled: a group may be on its way to disk in another thread
        self.full.set()
        await asyncio.gather(self.flusher, return_exceptions=True)
        self.commit(list(self.waiting.values()))
        self.reader.close()
        self.writer.close()

    def get(self, key: str) -> Stored | None:
        if key in self.waiting:
            return self.waiting[key]
        found = self.reader.execute("select * from calls where key = ?", (key,)).fetchone()
        if found is None:
            return None
        return stored_of(found)

    def put(self, call: Stored) -> None:
        self.waiting[call.key] = call
        if len(self.waiting) >= GROUP_ROWS:
            self.full.set()

    async def flush(self) -> None:
        """Return once every answer so far is on disk."""
        while self.waiting and self.flusher and not self.flusher.done():
            self.full.set()
            await asyncio.sleep(0.002)

    async def flushing(self) -> None:
        while not self.leaving:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.full.wait(), GROUP_SECONDS)
            self.full.clear()
            if group := list(self.waiting.values()):
                await asyncio.to_thread(self.commit, group)
                for call in group:
                    if self.waiting.get(call.key) is call:
                        del self.waiting[call.key]

    def commit(self, group: list[Stored]) -> None:
        rows = [
            (c.key, c.outcome, c.max_tokens, c.latency, c.at, packed(c.request), packed(plain(c.reply))) for c in group
        ]
        with self.writer:
            self.writer.executemany("insert or replace into calls values (?, ?, ?, ?, ?, ?, ?)", rows)


def connected(path: Path) -> sqlite3.Connection:
    link = sqlite3.connect(path, timeout=30, check_same_thread=False)
    link.execute("pragma journal_mode=wal")
    link.execute("pragma synchronous=normal")
    return link


def stored(path: Path) -> Iterator[Stored]:
    """Every call of a store, in the order of their keys; reads alone, also while a run writes. None where there is no
    store."""
    if not path.is_file():
        return
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=30, uri=True)) as link:
        for found in link.execute("select * from calls order by key"):
            yield stored_of(found)


def stored_of(found: tuple[Any, ...]) -> Stored:
    *plain, request, reply = found
    return Stored(*plain, request=unpacked(request), reply=reply_of(json.loads(unpacked(reply))))


def reply_of(plain: dict[str, Any]) -> Reply:
    same: dict[str, Any] = plain | {"tool_calls": tuple(plain["tool_calls"])}
    return Reply(**same)


def plain(reply: Reply) -> str:
    return json.dumps(asdict(replace(reply, hit=False)), ensure_ascii=False)


def packed(text: str) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(text.encode("utf-8", "surrogatepass"))


def unpacked(blob: bytes) -> str:
    return zstandard.ZstdDecompressor().decompress(blob).decode("utf-8", "surrogatepass")
