"""Records as Arrow rows: the schema of every shard between two stages, and its writing and reading.

The schema is explicit, so that no shard's types depend on the rows that happen to be in it. Its columns are the fields
of `Record` and the two ids that are made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa

from tasks import nested
from tasks.record import FIELDS, NO_TIME, Message, Record, Score, Stamp, ToolCall, message_of, record_of, stamp_of, turn

CALL = pa.struct(
    [
        ("id", pa.string()),
        ("type", pa.string()),
        ("function", pa.struct([("name", pa.string()), ("arguments", pa.string())])),
    ]
)
TURN = pa.struct(
    [
        ("role", pa.string()),
        ("content", pa.string()),
        ("reasoning_content", pa.string()),
        ("tool_calls", pa.list_(CALL)),
        ("tool_call_id", pa.string()),
        ("name", pa.string()),
        ("trained", pa.bool_()),
    ]
)
SCORE = pa.struct([("name", pa.string()), ("value", pa.float64()), ("reason", pa.string())])
STAMP = pa.struct(
    [
        ("step", pa.string()),
        ("prompt", pa.string()),
        ("model", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("detail", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [
        ("row_id", pa.string()),
        ("prompt_id", pa.string()),
        ("roots", pa.list_(pa.string())),
        ("messages", pa.list_(TURN)),
        ("asked_at", pa.timestamp("us", "UTC")),
        ("input", pa.string()),
        ("tools", pa.string()),
        ("language", pa.string()),
        ("task_type", pa.string()),
        ("subtype", pa.string()),
        ("domain", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("scores", pa.list_(SCORE)),
        ("teacher", pa.string()),
        ("licence", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("response_tokens", pa.int64()),
        ("conversation", pa.string()),
        ("user", pa.string()),
        ("student", pa.string()),
        ("student_response", pa.string()),
        ("vote", pa.string()),
        ("split", pa.string()),
        ("lineage", pa.list_(STAMP)),
        ("derived_from", pa.list_(pa.string())),
        ("passage", pa.string()),
        ("reference", pa.string()),
        ("constraints", pa.list_(pa.string())),
        ("rejected_answers", pa.list_(pa.string())),
    ]
)


DROPPED = (
    SCHEMA.append(pa.field("reason", pa.string()))
    .append(pa.field("detail", pa.string()))
    .append(pa.field("into", pa.string()))
)
AT_ONCE = 1000  # records of a long table that are Python objects at once
EARLIER = {"rejected": "rejected_answers"}  # before version 4; trainers take a column `rejected` for turns


def conformed(rows: pa.Table, schema: pa.Schema = SCHEMA) -> pa.Table:
    """Rows as an older schema has them, in one of today: what they do not know is empty."""
    if rows.schema.equals(schema):
        return rows
    rows = rows.rename_columns(todays(rows.column_names))
    columns = [
        rows.column(f.name).cast(f.type) if f.name in rows.column_names else pa.repeat(nothing(f.type), rows.num_rows)
        for f in schema
    ]
    return pa.table(columns, schema=schema)


def todays(names: Iterable[str]) -> list[str]:
    """The names of today for columns of any version."""
    return [EARLIER.get(name, name) for name in names]


def nothing(kind: pa.DataType) -> pa.Scalar:
    """What a field of this type holds where nothing is known."""
    empty = [] if pa.types.is_list(kind) else "" if pa.types.is_string(kind) else None
    return pa.scalar(empty, kind)


def table(records: Iterable[Record]) -> pa.Table:
    """Records as one Arrow table of `SCHEMA`."""
    made = list(records)
    both = [r.ids for r in made]
    ids = {"prompt_id": [prompt for prompt, _ in both], "row_id": [row for _, row in both]}
    values = ((n, ids[n] if n in ids else [getattr(r, n) for r in made]) for n in SCHEMA.names)
    return pa.table([column(*named) for named in values], schema=SCHEMA)


def column(name: str, values: list[Any]) -> pa.Array:
    """The values of a field, one for each record, as a column of `SCHEMA`."""
    kind = SCHEMA.field(name).type
    return nested.lists(values, kind, WRITTEN[name]) if name in WRITTEN else pa.array(values, kind)


def records(rows: pa.Table) -> list[Record]:
    """The reverse of `table`."""
    return [record_of(*values) for values in zip(*(values_of(rows, name) for name in FIELDS), strict=True)]


def streamed(rows: pa.Table) -> Iterator[Record]:
    """The records of a table one after the other; so many at once are in memory."""
    for start in range(0, rows.num_rows, AT_ONCE):
        yield from records(rows.slice(start, AT_ONCE))


def values_of(rows: pa.Table, name: str) -> list[Any]:
    """What the records of a table have in a field."""
    stands = rows.column(name)
    if pa.types.is_list(stands.type):
        return nested.tuples(stands, READ.get(name, nested.texts))
    if pa.types.is_timestamp(stands.type):  # Arrow looks the zone up for each value
        return [
            NO_TIME + timedelta(microseconds=us)
            for us in stands.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
        ]
    return stands.to_pylist()


def turns(said: pa.StructArray) -> Iterable[Message]:
    before, after = ("role", "content", "reasoning_content"), ("tool_call_id", "name", "trained")
    calls = nested.tuples(said.field("tool_calls"), calls_of)
    return map(message_of, *nested.fields(said, before), calls, *nested.fields(said, after))


def calls_of(made: pa.StructArray) -> Iterable[ToolCall]:
    return map(ToolCall, made.field("id").to_pylist(), *nested.fields(made.field("function"), ("name", "arguments")))


def scores_of(said: pa.StructArray) -> Iterable[Score]:
    return map(Score, *nested.fields(said, ("name", "value", "reason")))


def stamps(lines: pa.StructArray) -> Iterable[Stamp]:
    """Lines of lineage; those of an older version have no detail."""
    step, prompt, model, detail = nested.fields(lines, ("step", "prompt", "model", "detail"))
    parents = nested.tuples(lines.field("parents"), nested.texts)
    return map(stamp_of, step, prompt, model, parents, (said or "" for said in detail))


def written_turns(said: list[Message], kind: pa.DataType) -> pa.Array:
    calls = [turn(m)["tool_calls"] if m.tool_calls else [] for m in said]
    return nested.structs(said, kind, tool_calls=calls)


READ = {"messages": turns, "scores": scores_of, "lineage": stamps}
WRITTEN = {"messages": written_turns, "scores": nested.structs, "lineage": nested.structs}
