"""Records back into the table that they came from: a column that no record changed is taken as it stands.

Most steps change a field or two. The rest need not become Arrow columns anew, and ids are hashed again only where what
they name was touched.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from tasks.record import FIELDS, Record
from tasks.schema import SCHEMA, column


def rewritten(made: Sequence[Record], rows: pa.Table, given: Sequence[Record], sources: Sequence[int]) -> pa.Table:
    """Records as a table of `SCHEMA`, each made of one of the `rows`, read as `given`; `sources` are their numbers."""
    if list(sources) != list(range(rows.num_rows)):
        rows = rows.select(SCHEMA.names).take(pa.array(sources, pa.int64()))
    before = [given[i] for i in sources]
    columns = {name: told(name, made, before, rows) for name in FIELDS}
    columns |= ids(made, before, rows)
    return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def told(name: str, made: Sequence[Record], before: Sequence[Record], rows: pa.Table) -> pa.Array | pa.ChunkedArray:
    new = [getattr(r, name) for r in made]
    return rows.column(name) if new == [getattr(r, name) for r in before] else column(name, new)


def ids(made: Sequence[Record], before: Sequence[Record], rows: pa.Table) -> dict[str, pa.Array]:
    known = zip(rows.column("prompt_id").to_pylist(), rows.column("row_id").to_pylist(), strict=True)
    found = [named(*one) for one in zip(made, before, known, strict=True)]
    return {
        "prompt_id": pa.array([prompt for prompt, _ in found], pa.string()),
        "row_id": pa.array([row for _, row in found], pa.string()),
    }


def named(record: Record, before: Record, known: tuple[str, str]) -> tuple[str, str]:
    """The ids of a record that was made of another whose ids are known."""
    if (record.input, record.tools, record.passage) != (before.input, before.tools, before.passage):
        return record.ids
    if record.messages == before.messages:
        return known
    return (known[0], record.row_id) if record.ask and record.ask == before.ask else record.ids
