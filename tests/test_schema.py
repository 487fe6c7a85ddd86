"""Records as Arrow rows and back."""

from __future__ import annotations

from dataclasses import fields

import pyarrow as pa
import pytest

from tasks.record import Message, Record, Score, Stamp, turn
from tasks.schema import SCHEMA, records, table
from tests.rows import BARE, FULL


def test_record_and_schema_name_the_same_fields() -> None:
    assert {f.name for f in fields(Record)} | {"row_id", "prompt_id"} == set(SCHEMA.names)
    assert set(FULL.row()) == set(SCHEMA.names)
    assert set(turn(FULL.messages[0])) == {f.name for f in fields(Message)} == set(struct("messages"))
    assert {f.name for f in fields(Score)} == set(struct("scores"))
    assert {f.name for f in fields(Stamp)} == set(struct("lineage"))


def struct(column: str) -> list[str]:
    return [f.name for f in SCHEMA.field(column).type.value_type]


@pytest.mark.parametrize("made", [[], [BARE], [FULL], [FULL, BARE, FULL]])
def test_records_come_back_from_a_table_as_they_went_in(made: list[Record]) -> None:
    rows = table(made)
    assert rows.schema == SCHEMA
    assert records(rows) == made


def test_the_test_record_has_no_field_at_its_default() -> None:
    """Else the round trip above would not notice a field that is lost."""
    assert [f.name for f in fields(Record) if getattr(FULL, f.name) == getattr(BARE, f.name)] == []


@pytest.mark.parametrize("made", [[], [BARE], [FULL, BARE, FULL]])
def test_the_table_is_the_one_that_arrow_makes_of_plain_rows(made: list[Record]) -> None:
    assert table(made).equals(pa.Table.from_pylist([r.row() for r in made], schema=SCHEMA))


def test_the_schema_does_not_depend_on_the_rows() -> None:
    assert pa.concat_tables([table([BARE]), table([FULL]), table([])]).num_rows == 2
