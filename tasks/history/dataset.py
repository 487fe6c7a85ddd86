"""A dataset in the lake: its versions, and the log of increments that is the truth about them.

    <name>/LATEST                      the version that consumers read
    <name>/versions/1.2.0/             the whole dataset, never changed once it stands
    <name>/removed.json                versions that made room for newer ones
    <name>/increments/00003/           what one run read and what came of it
    <name>/calls.sqlite                every answer, shared by all versions
    <name>/runs                        what each run cost, and when
    <name>/index                       the increments' prompts by key, mapped (see index.py); made where it is missing
    <name>/small_models                what a small model learnt from, and what its training left (flows/lesson.py)
    <name>/work                        shards under way

Increments, index, runs, small models and work hold log text as it came, so only their owner can read them.

The state of a dataset is a function of its last increment. Each increment names its parent, so the chain
from the last one back lists the ledgers, the history of prompts, and the rows still pending. A rollback
is an increment too: it goes on from an older one, and watermark and history go back with it.

The moment at which an increment's folder is renamed into place is the commit. A version without an
increment, or an increment without its folder, is the left-over of a run that was killed, and is removed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import Timeout

from tasks.history.index import place
from tasks.history.ledger import LEDGER
from tasks.history.lock import lock_of
from tasks.history.past import Past
from tasks.history.retention import remove, removed, surplus, sweep
from tasks.recipe import utc
from tasks.schema import SCHEMA, conformed
from tasks.shard import Shard, sha256, write, write_json, write_text

ENTRY = "entry.json"
NUMBER = re.compile(r"\d+\.\d+\.\d+")


class Busy(RuntimeError):
    """Another run holds the dataset."""


class Unfit(RuntimeError):
    """The dataset on disk and the recipe do not go together; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the increment log.

    `base` is the version in force after it, `version` the one that it published, if any. `kind` is
    `published`, `nothing_new`, `blocked`, `budget`, `teacher` or `rollback`. Nothing in it depends on
    when or how often the run was tried. `ledger` counts log rows by state, `made` what techniques made.
    `gates` is what the gates found, as far as the run came to them.
    """

    seq: int
    kind: str
    parent: int | None = None
    base: str | None = None
    version: str | None = None
    teacher: str = ""
    sources: list[dict[str, Any]] = field(default_factory=list)
    ledger: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    why: str = ""
    gates: list[dict[str, Any]] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        return asdict(self)


class Dataset:
    """One dataset's folder. Everything that writes happens under `held`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions = folder / "versions"
        self.increments = folder / "increments"
        self.calls = folder / "calls.sqlite"
        self.work = folder / "work"
        self.index = folder / "index"
        self.runs = folder / "runs"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the dataset, and clear what a killed run left. Raises Busy at once where another run holds it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = lock_of(self.folder)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise Busy(f"another run holds {self.folder}") from None
        for private in (self.increments, self.index, self.runs, self.work):
            private.mkdir(mode=0o700, exist_ok=True)
        try:
            self.reread()
            self.recover()
            yield
        finally:
            lock.release()

    def recover(self) -> None:
        """Remove what was never committed, and point LATEST to the version in force."""
        published = {e.version for e in self.entries if e.version}
        for found in self.versions.glob("*"):
            if NUMBER.fullmatch(found.name) and found.name not in published:
                shutil.rmtree(found)
        sweep(self.folder)
        for found in self.increments.glob(".[0-9]*"):
            shutil.rmtree(found)
        for found in self.folder.glob(".LATEST.*.part"):
            found.unlink()
        used = {place(self.asked(e), self.index).name for e in self.entries if "asked" in e.files}
        for found in self.index.iterdir():
            if found.stem not in used:
                found.unlink()
        if (base := self.base) and self.latest != base:
            write_text(base + "\n", self.folder / "LATEST")

    def reread(self) -> None:
        """Let go of what was read of the increment log: this run, or one before it, has added to it."""
        for cache in ("entries", "chain", "known"):
            self.__dict__.pop(cache, None)

    @property
    def latest(self) -> str | None:
        """What LATEST says."""
        try:
            return (self.folder / "LATEST").read_text("utf-8").strip()
        except FileNotFoundError:
            return None

    @cached_property
    def entries(self) -> list[Entry]:
        """The whole increment log, oldest first."""
        found = sorted(self.increments.glob(f"[0-9]*/{ENTRY}"))
        return [Entry(**json.loads(p.read_text("utf-8"))) for p in found]

    @cached_property
    def chain(self) -> list[Entry]:
        """The increments that count, oldest first: from the last one back through the parents."""
        return self.chain_to(self.entries[-1]) if self.entries else []

    def chain_to(self, last: Entry) -> list[Entry]:
        """The increments that counted when `last` was the last one, oldest first."""
        by_seq = {e.seq: e for e in self.entries}
        back: list[Entry] = []
        here: Entry | None = last
        while here:
            if here.kind != "rollback":
                back.append(here)
            here = by_seq.get(here.parent) if here.parent is not None else None
        return back[::-1]

    @property
    def head(self) -> Entry | None:
        """The last increment that counts."""
        return self.chain[-1] if self.chain else None

    @property
    def base(self) -> str | None:
        """The version in force."""
        return self.entries[-1].base if self.entries else None

    def next_version(self, change: str) -> str:
        """The number of the version to come; `change` is `major`, `minor` or `patch`."""
        taken = {p.name for p in self.versions.glob("*")} | {e.version for e in self.entries}
        major, minor, patch = map(int, (self.base or "0.0.0").split("."))
        while True:
            if self.base is None or change == "major":
                major, minor, patch = major + 1, 0, 0
            elif change == "minor":
                minor, patch = minor + 1, 0
            else:
                patch += 1
            if (number := f"{major}.{minor}.{patch}") not in taken:
                return number

    @property
    def next_seq(self) -> int:
        return self.entries[-1].seq + 1 if self.entries else 1

    def file(self, entry: Entry, name: str) -> Path:
        return self.increments / f"{entry.seq:05d}" / f"{name}.parquet"

    @cached_property
    def known(self) -> frozenset[str]:
        """Log ids that have a state already. Pending ones too: their rows are kept here."""
        tables = [pq.read_table(self.file(e, "ledger"), columns=["log_id"]) for e in self.chain]
        return frozenset(i for t in tables for i in t.column("log_id").to_pylist())

    def watermark(self, stream: str) -> datetime | None:
        """Up to when a source was read with no gap, late rows aside: a backfill that begins later than that does not
        count, and none moves it back."""
        mark: datetime | None = None
        for read in (s for e in self.chain for s in e.sources if s.get("stream") == stream and s["watermark"]):
            last = datetime.fromisoformat(read["watermark"])
            if not read["since"] or (mark and utc(datetime.fromisoformat(read["since"])) <= mark):
                mark = max(mark or last, last)
        return mark

    @property
    def pending(self) -> pa.Table:
        """Records that were read and still wait, as they were pulled."""
        return conformed(pq.read_table(self.file(self.head, "pending"))) if self.head else SCHEMA.empty_table()

    @property
    def ledgers(self) -> tuple[Shard, ...]:
        """The ledger files of the increments that count."""
        kept = [(e, e.files["ledger"]) for e in self.chain]
        return tuple(Shard(str(self.file(e, "ledger")), k["rows"], k["sha256"]) for e, k in kept)

    @property
    def past(self) -> Past:
        """What was asked before, for the steps that must know it."""
        kept = [self.asked(e) for e in self.chain]
        return Past(tuple(s for s in kept if s.rows), self.index)

    def asked(self, entry: Entry) -> Shard:
        """The segment of the history that an increment keeps."""
        kept = entry.files["asked"]
        return Shard(str(self.file(entry, "asked")), kept["rows"], kept["sha256"])

    def ledger(self, last: Entry | None = None) -> pa.Table:
        """The last state of every log row that was ever read and still counts, or that counted at the entry `last`."""
        states: dict[str, dict[str, str]] = {}
        for entry in self.chain_to(last) if last else self.chain:
            for row in pq.read_table(self.file(entry, "ledger")).to_pylist():
                states[row["log_id"]] = row
        return pa.Table.from_pylist([states[i] for i in sorted(states)], schema=LEDGER)

    def publishing(self, version: str) -> Entry:
        """The increment that published a version. Raises Unfit with those that there are."""
        for entry in self.entries:
            if entry.version == version:
                return entry
        there = ", ".join(e.version for e in self.entries if e.version) or "none"
        raise Unfit(f"there is no version {version} in {self.folder}; published were {there}")

    def standing(self, version: str) -> Path:
        """A published version's folder. Raises Unfit, with the reason why, where it does not stand any more."""
        folder = self.versions / version
        if by := removed(self.folder).get(version):
            raise Unfit(f"version {version} was removed when {by} was published, as output.keep says")
        if not folder.is_dir():
            raise Unfit(f"version {version} was published, but its folder is gone from {self.versions}")
        return folder

    def retire(self, keep: int, pinned: Collection[str] = ()) -> list[str]:
        """Remove versions beyond the `keep` newest; gives those that went."""
        gone = surplus(self.entries, {p.name for p in self.versions.glob("*")}, keep, pinned)
        remove(self.folder, gone, str(self.base))
        return gone

    def commit(self, entry: Entry, tables: dict[str, pa.Table], staged: Path | None = None) -> Entry:
        """Make an increment, and the version it published, the truth. `staged` is the version's folder.

        The order is what makes it safe: the version is renamed into place, then the increment, then LATEST
        follows.
        """
        beside = self.increments / f".{entry.seq:05d}"
        shutil.rmtree(beside, ignore_errors=True)
        files = {n: write(t, beside / f"{n}.parquet").plain() | {"path": f"{n}.parquet"} for n, t in tables.items()}
        plain: dict[str, Any] = entry.plain() | {"files": files}
        write_json(plain, beside / ENTRY)
        if staged and entry.version:
            self.versions.mkdir(exist_ok=True)
            for folder in (staged, *(p for p in staged.rglob("*") if p.is_dir())):
                synced(folder)
            staged.rename(self.versions / entry.version)
            synced(self.versions)
        synced(beside)
        beside.rename(self.increments / f"{entry.seq:05d}")
        synced(self.increments)
        self.reread()
        if entry.base:
            write_text(entry.base + "\n", self.folder / "LATEST")
        return Entry(**plain)

    def rollback(self, version: str) -> Entry:
        """Go on from an older version: it is in force again, and so are its watermark, history and pending rows."""
        origin = self.publishing(version)
        self.standing(version)
        return self.commit(Entry(self.next_seq, "rollback", parent=origin.seq, base=version), {})


def synced(folder: Path) -> None:
    """Flush a folder's names to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest(entry: Entry, dataset: Dataset) -> str:
    """The sha256 of an increment's entry, by which a version's manifest names it."""
    return sha256(dataset.increments / f"{entry.seq:05d}" / ENTRY)


def read_manifest(version: Path) -> dict[str, Any]:
    return json.loads((version / "manifest.json").read_text("utf-8"))
