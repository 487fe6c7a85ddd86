"""Close an increment: from what was read and what the stages did, the tables that it leaves.

A run that came to its end accounts for every row. One that was stopped (blocked, out of budget, no
teacher) accounts for the rows that were out before the teacher was asked, and keeps all others pending,
as they were pulled: the next run goes on from them, and the call store makes the way back free.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from tasks.history.asked import PUBLISHED, Asked, segment
from tasks.history.ledger import MADE_BEFORE, NOT_REACHED, Ledger
from tasks.link import kinds
from tasks.record import MADE, Record
from tasks.schema import SCHEMA, records
from tasks.shard import Shard
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
    read: Read, early: Sequence[Tally], late: Sequence[Tally], rows: pa.Table, produced: Sequence[Tally] = ()
) -> Closed:
    """A run that came to its end. `early` are the stages up to the dedup of prompts, `produced` those that made more
    of them, `late` those after, `rows` what is published now (perhaps nothing). Raises Unbalanced."""
    ledger = begun(read)
    ledger.publish(zip(rows.column("row_id").to_pylist(), rows.column("roots").to_pylist(), strict=True))
    gone = [*dropped(early), *dropped(produced), *(late_gone := dropped(late))]
    ledger.drop(gone)
    asked = records(rows)
    gone = settled(gone, {r.prompt_id: r.row_id for r in asked})
    waiting = pa.concat_tables([SCHEMA.empty_table(), *tables_of(t.pending_in for t in (*early, *produced, *late))])
    for roots, kind in zip(waiting.column("roots").to_pylist(), kinds(waiting).tolist(), strict=True):
        ledger.enter(roots, f"dropped:{NOT_REACHED}" if kind == "passages" else "pending")
    kept = gone[len(gone) - len(late_gone) :]
    return closed(read, ledger, remembered(asked, kept), gone, made(read, (*produced, *late)), waiting)


def made(read: Read, tallies: Sequence[Tally]) -> set[str]:
    """The ids of all that these stages made: what they put out or dropped, but for what was made before."""
    known = read.users
    files = [s for t in tallies for s in (*t.shards, *t.dropped_in) if s.rows]
    found = {i for s in files for roots in s.table(["roots"]).column("roots").to_pylist() for i in roots}
    gone = (row for row in dropped(tallies) if row["reason"] == MADE_BEFORE)
    return {i for i in found if i.startswith(MADE) and i not in known} - {i for row in gone for i in row["roots"]}


def stopped(read: Read, early: Sequence[Tally]) -> Closed:
    """A run that was stopped: what `early` stages dropped is gone, all else waits. Raises Unbalanced."""
    ledger = begun(read)
    gone = dropped(early)
    ledger.drop(gone)
    ledger.enter(sorted(set(read.users) - ledger.states.keys()), "pending")
    return closed(read, ledger, [], gone)


def begun(read: Read) -> Ledger:
    ledger = Ledger(read.seen)
    for log_id, reason in zip(*(read.unreadable.column(c).to_pylist() for c in ("log_id", "reason")), strict=True):
        ledger.enter([log_id], "unreadable", detail=reason)
    return ledger


def closed(
    read: Read,
    ledger: Ledger,
    asked: Sequence[Asked],
    gone: list[dict[str, Any]],
    made: Collection[str] = (),
    waiting: pa.Table | None = None,
) -> Closed:
    """`made` are ids of this run's own; of these, those that wait are kept as they stand in `waiting`."""
    users = read.users
    ledger.close([*users, *read.unreadable.column("log_id").to_pylist(), *made])
    waits = {i for i, (state, _, _) in ledger.states.items() if state == "pending"}
    kept = (
        SCHEMA.append(pa.field("reason", pa.string()))
        .append(pa.field("detail", pa.string()))
        .append(pa.field("into", pa.string()))
    )
    tables = {
        "ledger": ledger.table(users),
        "asked": segment(asked),
        "pending": pa.concat_tables([read.those(waits), *([chosen(waiting, waits & {*made})] if waiting else [])]),
        "dropped": pa.Table.from_pylist(gone, schema=kept),
        "unreadable": read.unreadable,
    }
    return Closed(ledger, tables)


def dropped(tallies: Iterable[Tally]) -> list[dict[str, Any]]:
    """The dropped rows of stages, in order."""
    return [row for t in tables_of(t.dropped_in for t in tallies) for row in t.to_pylist()]


def tables_of(files: Iterable[Sequence[Shard]]) -> list[pa.Table]:
    return [s.table() for group in files for s in group if s.rows]


def settled(gone: Sequence[dict[str, Any]], row_of: dict[str, str]) -> list[dict[str, Any]]:
    """The dropped rows, each with the published row that it is near to, `into`, where there is one.

    `row_of` is prompt -> published row. A prompt may fall to one that falls to another by its answer.
    """
    into = {p["prompt_id"]: p["into"] for p in gone if p["reason"] == MERGED and p["into"] != p["prompt_id"]} | row_of
    settled = []
    for plain in gone:
        end = plain["into"]
        for _ in range(2):
            end = into.get(end, end)
        settled.append(plain | {"into": end})
    return settled


def remembered(rows: Sequence[Record], gone: Sequence[dict[str, Any]]) -> list[Asked]:
    """What was asked and what came of it, in the order of the log."""
    fates = [(r, Asked.of(r, PUBLISHED)) for r in rows]
    for plain in gone:
        record, into = Record.from_row(plain), plain["into"]
        row_id = into if plain["reason"] == MERGED and into.startswith("r-") else ""
        fates.append((record, replace(Asked.of(record, plain["reason"]), row_id=row_id)))
    return [asked for _, asked in sorted(fates, key=lambda f: (f[0].asked_at, f[0].roots[0], f[1].prompt_id))]
