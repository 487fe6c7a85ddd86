"""Records back into the table that they came from: a column that no record changed is taken as it stands.

Most steps change a field or two. The rest need not become Arrow columns anew, and ids are hashed again only where what
they name was touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from tasks.record import FIELDS, VALUES, Record
from tasks.schema import SCHEMA, column

Columns = dict[str, tuple[Any, ...]]
IDS = ("prompt_id", "row_id")
NAMED = ("messages", "input", "tools", "passage")  # the fields that ids are made of


def rewritten(made: Sequence[Record], rows: pa.Table, given: Sequence[Record], sources: Sequence[int]) -> pa.Table:
    """Records as a table of `SCHEMA`, each made of one of the `rows`, read as `given`; `sources` are their numbers."""
    if not made:
        return SCHEMA.empty_table()
    if list(sources) != list(range(rows.num_rows)):
        rows = rows.select(SCHEMA.names).take(pa.array(sources, pa.int64()))
    before = [given[i] for i in sources]
    new, old = fields(made), fields(before)
    touched = {name for name in FIELDS if new[name] != old[name]}
    columns = {n: column(n, list(new[n])) if n in touched else rows.column(n) for n in FIELDS}
    columns |= ids(made, before, rows) if touched.intersection(NAMED) else {n: rows.column(n) for n in IDS}
    return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def fields(records: Sequence[Record]) -> Columns:
    """What the records have in each field."""
    return dict(zip(FIELDS, zip(*map(VALUES, records), strict=True), strict=True))


def ids(made: Sequence[Record], before: Sequence[Record], rows: pa.Table) -> dict[str, pa.Array]:
    known = zip(*(rows.column(name).to_pylist() for name in IDS), strict=True)
    found = zip(*(named(*one) for one in zip(made, before, known, strict=True)), strict=True)
    return {name: pa.array(some, pa.string()) for name, some in zip(IDS, found, strict=True)}


def named(record: Record, before: Record, known: tuple[str, str]) -> tuple[str, str]:
    """The ids of a record that was made of another whose ids are known."""
    if (record.input, record.tools, record.passage) != (before.input, before.tools, before.passage):
        return record.ids
    if record.messages == before.messages:
        return known
    return (known[0], record.row_id) if record.ask and record.ask == before.ask else record.ids
