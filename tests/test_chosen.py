"""Some rows of a table by their numbers: the same as a copy, in pieces."""

from __future__ import annotations

from random import Random

import pyarrow as pa
import pytest

from tasks.chosen import Chosen, parts
from tasks.schema import SCHEMA, records, table
from tests.rows import BARE, FULL, HOSTILE, ask

MADE = [FULL, BARE, *(ask(text, i) for i, text in enumerate((*HOSTILE, "桥有多高？", "How tall is it?")))]


def in_batches(size: int) -> pa.Table:
    """The rows as they come from many shards."""
    rows = table(MADE)
    return pa.concat_tables([rows.slice(start, size) for start in range(0, len(MADE), size)])


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("seed", range(3))
def test_rows_come_in_the_order_of_their_numbers_wherever_they_lie(size: int, seed: int):
    dice = Random(seed)
    numbers = [dice.randrange(len(MADE)) for _ in range(20)]
    for some in (numbers, sorted(numbers), []):
        chosen = Chosen(in_batches(size), some)
        assert chosen.num_rows == len(some)
        assert records(chosen.slice()) == [MADE[n] for n in some]


def test_what_changed_is_new_and_all_else_as_it_was():
    changed = {"split": {0: "test"}, "roots": {1: ("l-1", "l-7"), 2: ("l-9",)}}
    rows = records(Chosen(in_batches(2), [1, 0, 3], changed).slice())
    assert [r.split for r in rows] == ["", "test", ""]
    assert [r.roots for r in rows] == [("l-1", "l-7"), FULL.roots, MADE[3].roots]
    assert [r.messages for r in rows] == [BARE.messages, FULL.messages, MADE[3].messages]
    assert Chosen(in_batches(2), [0], changed).slice().schema == SCHEMA


def test_parts_are_cut_as_a_table_is():
    chosen = Chosen(in_batches(3), [4, 0, 2, 1, 3])
    assert [part.num_rows for part in parts(chosen, 2)] == [2, 2, 1]
    assert pa.concat_tables(parts(chosen, 2)).equals(chosen.slice())
    assert [part.num_rows for part in parts(Chosen(SCHEMA.empty_table(), []), 2)] == [0]
