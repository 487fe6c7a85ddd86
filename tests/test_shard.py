"""Files that are whole or absent."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.schema import SCHEMA
from tasks.shard import ROW_GROUP, Shard, placed, write, write_json, write_records, write_text
from tests.rows import ask


def test_records_come_back_from_a_shard(tmp_path: Path) -> None:
    made = [ask("一"), ask("two", 2)]
    shard = write_records(made, tmp_path / "deep/er/part-00007.parquet")
    assert (shard.rows, shard.name, shard.records()) == (2, "part-00007", made)
    assert Shard.of(shard.plain()) == shard


def test_the_same_rows_give_the_same_bytes_and_other_rows_do_not(tmp_path: Path) -> None:
    shards = [write_records([ask(t)], tmp_path / f"{i}.parquet") for i, t in enumerate(("一", "一", "二"))]
    assert shards[0].sha256 == shards[1].sha256 != shards[2].sha256


def test_an_empty_table_is_a_shard_too(tmp_path: Path) -> None:
    shard = write(SCHEMA.empty_table(), tmp_path / "none.parquet")
    assert (shard.rows, shard.whole, shard.table().schema) == (0, True, SCHEMA)


def test_an_empty_table_is_written_as_pyarrow_writes_it_with_whatever_its_schema_says(tmp_path: Path) -> None:
    for schema in (SCHEMA, SCHEMA.with_metadata({"from": "表"}), pa.schema([("a", pa.string())]), SCHEMA):
        written = BytesIO()
        pq.write_table(schema.empty_table(), written, compression="zstd", row_group_size=ROW_GROUP, store_schema=True)
        write(schema.empty_table(), tmp_path / "none.parquet")
        assert (tmp_path / "none.parquet").read_bytes() == written.getvalue()


def test_a_shard_is_whole_only_with_the_bytes_that_it_was_written_with(tmp_path: Path) -> None:
    shard = write_records([ask("一")], tmp_path / "a.parquet")
    assert shard.whole
    with Path(shard.path).open("ab") as file:
        file.write(b"x")
    assert not shard.whole
    Path(shard.path).unlink()
    assert not shard.whole


@pytest.mark.parametrize("before", ["whole", None])
def test_a_write_that_fails_leaves_what_stood_there(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "a.txt"
    if before:
        write_text(before, path)

    def fail() -> None:
        with placed(path) as out:
            out.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [p.read_text() for p in tmp_path.iterdir()] == [before] * bool(before)


def test_json_is_written_for_people_to_read(tmp_path: Path) -> None:
    write_json({"键": 1, "a": [2]}, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == '{\n  "a": [\n    2\n  ],\n  "键": 1\n}\n'


def test_a_folder_that_looks_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    shard = write_records([ask("一")], tmp_path / "week=1" / "a.parquet")
    assert shard.table().schema.names == SCHEMA.names
