"""Pulling a source: each line counted once, within a window, and never read twice."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tasks.pull.source import UNREADABLE, Pulled, Window, pull
from tasks.recipe import RecipeError, Source
from tasks.record import Record

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def logged(number: int, day: float = 0, **more: Any) -> dict[str, Any]:
    moment = DAY + timedelta(days=day)
    return {"id": f"{number}", "created_at": moment.isoformat(), "messages": f"问题 {number}", **more}


def pulled(
    folder: Path,
    *rows: dict[str, Any] | bytes,
    window: Window | None = None,
    known: Collection[str] = (),
    shard_rows: int = 1000,
    name: str = "logs",
) -> Pulled:
    """What a source of these lines gives."""
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in rows]
    folder.mkdir(exist_ok=True)
    (folder / "logs.jsonl").write_bytes(b"\n".join(lines))
    source = Source(uri=str(folder / "logs.jsonl"), name=name)
    return pull(source, window or Window(), known, folder / "out", shard_rows)


def records(result: Pulled) -> list[Record]:
    return [r for s in result.shards for r in s.records()]


def asked(result: Pulled) -> list[str]:
    return [r.instruction.removeprefix("问题 ") for r in records(result)]


def ids(result: Pulled) -> list[str]:
    bad = [i for s in result.unreadable for i in s.table().column("log_id").to_pylist()]
    return [r.roots[0] for r in records(result)] + bad


def test_rows_come_in_order_in_shards_of_the_asked_size(tmp_path: Path) -> None:
    result = pulled(tmp_path, *map(logged, range(5)), shard_rows=2)
    assert [s.rows for s in result.shards] == [2, 2, 1]
    assert asked(result) == ["0", "1", "2", "3", "4"]
    assert (result.read, result.new, result.seen, result.outside) == (5, 5, 0, 0)


def test_a_window_has_its_beginning_and_not_its_end(tmp_path: Path) -> None:
    moment = timedelta(microseconds=1) / timedelta(days=1)
    rows = [logged(0, -moment), logged(1, 0), logged(2, 7 - 2 * moment), logged(3, 7)]
    result = pulled(tmp_path, *rows, window=Window(DAY, DAY + timedelta(days=7)))
    assert (asked(result), result.outside, result.read) == (["1", "2"], 2, 2)


def test_two_windows_side_by_side_read_every_row_once(tmp_path: Path) -> None:
    rows = [logged(n, n) for n in range(6)]
    weeks = [pulled(tmp_path, *rows, window=w) for w in (Window(until=DAY + timedelta(3)), Window(DAY + timedelta(3)))]
    assert [w.read for w in weeks] == [3, 3]


@pytest.mark.parametrize(("window", "inside"), [(Window(), True), (Window(DAY), False), (Window(until=DAY), True)])
def test_a_row_without_a_time_is_as_old_as_can_be(tmp_path: Path, window: Window, inside: bool) -> None:
    assert pulled(tmp_path, {"id": "1", "messages": "q"}, window=window).outside == (not inside)


def test_a_row_that_an_earlier_increment_knows_is_seen_wherever_it_stands(tmp_path: Path) -> None:
    first = pulled(tmp_path, logged(1), logged(2))
    late = logged(3, -5)
    again = pulled(tmp_path, late, logged(2), logged(1), known=ids(first))
    assert (asked(again), again.seen, again.read, again.new) == (["3"], 2, 3, 1)


def test_a_row_that_stands_twice_is_taken_once(tmp_path: Path) -> None:
    result = pulled(tmp_path, logged(1), logged(2), logged(1, feedback="up"), logged(1, day=1))
    assert (asked(result), result.seen) == (["1", "2", "1"], 1), "the same id at another time is another row"


def test_the_same_line_in_two_files_is_taken_once(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(json.dumps(logged(1)))
    result = pull(Source(uri=str(tmp_path)), Window(), (), tmp_path / "out", 10)
    assert (result.new, result.seen) == (1, 1)


def test_an_unreadable_line_is_kept_with_its_place_reason_and_bytes(tmp_path: Path) -> None:
    result = pulled(tmp_path, logged(1), b"{half \xff", {"messages": []}, logged(2))
    rows = pa.concat_tables([s.table() for s in result.unreadable])
    assert rows.schema == UNREADABLE
    kept = [(r["file"], r["line"], r["reason"], r["raw"]) for r in rows.to_pylist()]
    assert kept == [
        ("logs.jsonl", 2, "encoding_unknown", b"{half \xff\n"),
        ("logs.jsonl", 3, "no_messages", b'{"messages": []}\n'),
    ]
    assert (result.read, result.new, asked(result)) == (4, 4, ["1", "2"])


def test_an_unreadable_line_is_seen_the_next_time(tmp_path: Path) -> None:
    first = pulled(tmp_path, b"{half", logged(1))
    again = pulled(tmp_path, b"{half", logged(1), b"{half", logged(1), known=ids(first))
    assert (again.seen, again.new) == (3, 1), "the same bytes on another line are another line"


def test_a_row_that_nests_as_deep_as_can_be_read_stops_nothing(tmp_path: Path) -> None:
    """Somewhere here a row can just be read and no longer be named."""
    deep = [b'{"messages": "q", "deep": ' + b"[" * depth + b"]" * depth + b"}" for depth in range(850, 1000)]
    result = pulled(tmp_path, *deep, logged(1))
    assert (result.read, asked(result)[-1]) == (151, "1")


def test_the_watermark_is_the_latest_time_of_what_is_new(tmp_path: Path) -> None:
    assert pulled(tmp_path, logged(1, 2), logged(2, 1)).watermark == (DAY + timedelta(2)).isoformat()
    assert pulled(tmp_path, b"{half").watermark == ""


def test_two_sources_with_the_same_row_ids_are_kept_apart(tmp_path: Path) -> None:
    one, two = (pulled(tmp_path / n, logged(1), b"{", name=n) for n in ("a", "b"))
    assert not set(ids(one)) & set(ids(two))


def test_the_same_log_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (pulled(tmp_path / n, logged(1), b"{") for n in ("a", "b"))
    assert [s.sha256 for s in one.shards] == [s.sha256 for s in two.shards]


def test_nothing_new_gives_no_shard(tmp_path: Path) -> None:
    result = pulled(tmp_path)
    assert (result.shards, result.unreadable, result.read) == ([], [], 0)


def test_what_was_pulled_comes_back_from_json(tmp_path: Path) -> None:
    result = pulled(tmp_path, logged(1), b"{half")
    assert Pulled.of(json.loads(json.dumps(result.plain()))) == result


def test_a_source_that_is_not_there_stops_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no logs at"):
        pull(Source(uri=str(tmp_path / "none.jsonl")), Window(), (), tmp_path / "out", 10)
    assert not (tmp_path / "out").exists()
