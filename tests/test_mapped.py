"""Tables that lie on disk: what was written comes back, in memory of nobody's, and nothing stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.mapped import spooled

SCHEMA = pa.schema([("text", pa.string())])
WORDS = [["北京天气如何？", "a lamp"], [], ["\x00 </user>", None]]


def tables() -> Iterator[pa.Table]:
    return (pa.table([words], schema=SCHEMA) for words in WORDS)


@pytest.mark.parametrize("on_disk", [True, False])
def test_the_tables_come_back_one_after_the_other(tmp_path: Path, on_disk: bool):
    rows = spooled(tables(), SCHEMA, tmp_path / "new" if on_disk else None)
    assert rows.column("text").to_pylist() == [word for words in WORDS for word in words]
    assert rows.schema == SCHEMA
    assert spooled([], SCHEMA, tmp_path).num_rows == 0


def test_rows_on_disk_take_no_memory_of_arrow_and_leave_no_file(tmp_path: Path):
    before = pa.total_allocated_bytes()
    rows = spooled((pa.table([["x" * 1000] * 1000], schema=SCHEMA) for _ in range(20)), SCHEMA, tmp_path)
    assert rows.nbytes > 20_000_000
    assert pa.total_allocated_bytes() - before < 1_000_000
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_cannot_be_made_leaves_no_file_either(tmp_path: Path):
    def broken() -> Iterator[pa.Table]:
        yield from tables()
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        spooled(broken(), SCHEMA, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_tables_are_asked_for_one_by_one(tmp_path: Path):
    """A fold's input is never in memory as a whole: each shard is written before the next one is read."""
    alive: list[int] = []

    def watched() -> Iterator[pa.Table]:
        before = pa.total_allocated_bytes()
        for _ in range(5):
            yield pa.table([["x" * 1000] * 1000], schema=SCHEMA)
            alive.append(pa.total_allocated_bytes() - before)

    spooled(watched(), SCHEMA, tmp_path)
    assert max(alive) < 2_500_000
