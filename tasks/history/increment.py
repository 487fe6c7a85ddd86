"""Close an increment: from what was read and what the stages did, the tables that it leaves.

A run that came to its end accounts for every row. One that was stopped (blocked, out of budget, no
teacher) accounts for the rows that were out before the teacher was asked, and keeps all others pending,
as they were pulled: the next run goes on from them, and the call store makes the way back free.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tasks.chosen import Chosen, parts
from tasks.history.asked import PUBLISHED, Asked, segment
from tasks.history.fresh import Fresh
from tasks.history.ledger import MADE_BEFORE, NOT_REACHED, Ledger
from tasks.link import kinds
from tasks.mapped import spooled
from tasks.record import MADE
from tasks.schema import DROPPED, SCHEMA, streamed
from tasks.shard import ROW_GROUP, Shard
from tasks.step import MERGED
from tasks.tally import Tally


@dataclass(frozen=True, slots=True)
class Read:
    """What a run read: records (new ones and those that were pending), unreadable lines, and rows seen before."""

    records: tuple[Shard, ...]
    unreadable: pa.Table
    seen: int = 0

    @property
    def users(self) -> dict[str, str]:
        """Log id -> who asked."""
        rows = (row for s in self.records for row in s.table(["roots", "user"]).to_pylist())
        return {row["roots"][0]: row["user"] for row in rows}

    def those(self, log_ids: Collection[str]) -> pa.Table:
        """Records by their log ids, as they were pulled."""
        return pa.concat_tables([SCHEMA.empty_table(), *(chosen(s.table(), log_ids) for s in self.records if log_ids)])


def chosen(rows: pa.Table, log_ids: Collection[str]) -> pa.Table:
    return rows.filter(pa.array([r[0] in log_ids for r in rows.column("roots").to_pylist()], pa.bool_()))


@dataclass(frozen=True, slots=True)
class Closed:
    """The ledger of an increment and the tables that it keeps, by name."""

    ledger: Ledger
    tables: dict[str, pa.Table]


def finished(
    read: Read,
    early: Sequence[Tally],
    late: Sequence[Tally],
    rows: pa.Table,
    produced: Sequence[Tally] = (),
    folder: Path | None = None,
) -> Closed:
    """A run that came to its end. `early` are the stages up to the dedup of prompts, `produced` those that made more
    of them, `late` those after, `rows` what is published now (perhaps nothing). What is kept lies in `folder`, or in
    memory. Raises Unbalanced."""
    ledger = begun(read)
    ids = [rows.column(c).to_pylist() for c in ("row_id", "roots", "prompt_id")]
    ledger.publish(zip(*ids[:2], strict=True))
    gone = dropped((*early, *produced, *late), folder)
    ledger.drop(told(gone))
    gone = settled(gone, dict(zip(ids[2], ids[0], strict=True)))
    waiting = pa.concat_tables([SCHEMA.empty_table(), *tables_of(t.pending_in for t in (*early, *produced, *late))])
    for roots, kind in zip(waiting.column("roots").to_pylist(), kinds(waiting).tolist(), strict=True):
        ledger.enter(roots, f"dropped:{NOT_REACHED}" if kind == "passages" else "pending")
    since = gone.num_rows - sum(s.rows for t in late for s in t.dropped_in)
    asked = remembered(rows, gone.slice(since), folder)
    return closed(read, ledger, asked, gone, made(read, (*produced, *late)), waiting, folder)


def made(read: Read, tallies: Sequence[Tally]) -> set[str]:
    """The ids of all that these stages made: what they put out or dropped, but for what was made before."""
    known = read.users
    files = [s for t in tallies for s in (*t.shards, *t.dropped_in) if s.rows]
    roots = (roots for s in files for roots in s.table(["roots"]).column("roots").to_pylist())
    found = {i for some in roots for i in some if i.startswith(MADE) and i not in known}
    gone = dropped(tallies, None, ("reason", "roots")).filter(pc.field("reason") == MADE_BEFORE)
    return found - {i for roots in gone.column("roots").to_pylist() for i in roots}


def stopped(read: Read, early: Sequence[Tally], folder: Path | None = None) -> Closed:
    """A run that was stopped: what `early` stages dropped is gone, all else waits. What is kept lies in `folder`, or in
    memory. Raises Unbalanced."""
    ledger = begun(read)
    gone = dropped(early, folder)
    ledger.drop(told(gone))
    ledger.enter(sorted(set(read.users) - ledger.states.keys()), "pending")
    return closed(read, ledger, segment([]), gone, folder=folder)


def begun(read: Read) -> Ledger:
    ledger = Ledger(read.seen)
    for log_id, reason in zip(*(read.unreadable.column(c).to_pylist() for c in ("log_id", "reason")), strict=True):
        ledger.enter([log_id], "unreadable", detail=reason)
    return ledger


def closed(
    read: Read,
    ledger: Ledger,
    asked: pa.Table | Chosen,
    gone: pa.Table,
    made: Collection[str] = (),
    waiting: pa.Table | None = None,
    folder: Path | None = None,
) -> Closed:
    """`made` are ids of this run's own; of these, those that wait are kept as they stand in `waiting`."""
    users = read.users
    ledger.close([*users, *read.unreadable.column("log_id").to_pylist(), *made])
    waits = {i for i, (state, _, _) in ledger.states.items() if state == "pending"}
    tables = {
        "ledger": ledger.table(users),
        "asked": evenly(asked, folder),
        "pending": pa.concat_tables([read.those(waits), *([chosen(waiting, waits & {*made})] if waiting else [])]),
        "dropped": evenly(gone, folder),
        "unreadable": read.unreadable,
    }
    return Closed(ledger, tables)


def dropped(tallies: Iterable[Tally], folder: Path | None = None, columns: Sequence[str] = DROPPED.names) -> pa.Table:
    """The dropped rows of stages, in order."""
    files = (s for t in tallies for s in t.dropped_in if s.rows)
    return spooled((s.table([*columns]) for s in files), pa.schema([DROPPED.field(c) for c in columns]), folder)


def told(gone: pa.Table) -> Iterator[dict[str, Any]]:
    """What a ledger asks of dropped rows, one after the other."""
    wanted = gone.select(["roots", "reason", "into", "detail"])
    return (row for batch in wanted.to_batches() for row in batch.to_pylist())


def tables_of(files: Iterable[Sequence[Shard]]) -> list[pa.Table]:
    return [s.table() for group in files for s in group if s.rows]


def settled(gone: pa.Table, row_of: dict[str, str]) -> pa.Table:
    """The dropped rows, each with the published row that it is near to, `into`, where there is one.

    `row_of` is prompt -> published row. A prompt may fall to one that falls to another by its answer.
    """
    ids, reasons, ends = (gone.column(c).to_pylist() for c in ("prompt_id", "reason", "into"))
    fell = zip(ids, reasons, ends, strict=True)
    into = {prompt: end for prompt, reason, end in fell if reason == MERGED and end != prompt} | row_of
    for _ in range(2):
        ends = [into.get(end, end) for end in ends]
    return gone.set_column(gone.column_names.index("into"), DROPPED.field("into"), pa.array(ends, pa.string()))


def remembered(rows: pa.Table, gone: pa.Table, folder: Path | None = None) -> Chosen:
    """What was asked and what came of it, in the order of the log, as an increment keeps it."""
    order: list[tuple[datetime, str, str]] = []

    def fates() -> Iterator[Asked]:
        why = zip(*(gone.column(c).to_pylist() for c in ("reason", "into")), strict=True)
        fallen = ((reason, into if reason == MERGED and into.startswith("r-") else "") for reason, into in why)
        came_to = chain(repeat((PUBLISHED, None), rows.num_rows), fallen)
        for record, (fate, row_id) in zip(chain(streamed(rows), streamed(gone)), came_to, strict=True):
            asked = Asked.of(record, fate)
            order.append((record.asked_at, record.roots[0], asked.prompt_id))
            yield asked if row_id is None else replace(asked, row_id=row_id)

    fresh = Fresh.of(fates(), folder)
    return fresh.ordered(sorted(range(len(order)), key=order.__getitem__)).rows


def evenly(rows: pa.Table | Chosen, folder: Path | None) -> pa.Table:
    """Rows in pieces as large as the row groups of a file, whose bytes depend on where the pieces begin."""
    return spooled((some.combine_chunks() for some in parts(rows, ROW_GROUP)), rows.schema, folder)
