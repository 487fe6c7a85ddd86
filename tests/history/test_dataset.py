import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.history.dataset import Busy, Dataset, Entry, Unfit, digest, read_manifest
from tasks.history.increment import Read, finished
from tasks.publish.version import SIDES, parent_rows, published, stage
from tasks.pull.source import UNREADABLE
from tasks.record import Record
from tasks.schema import table
from tasks.shard import write_json, write_records
from tests.rows import answered, ask


def row(number: int, text: str) -> Record:
    return answered(ask(text, number, split=SIDES[number % 3]), text[::-1])


FIRST = [row(1, "Which lamp is best?"), row(2, "请写一首诗")]
SECOND = [row(3, "How tall is the bridge?"), row(4, "桥有多高？")]
THIRD = [row(5, "What do zebras eat?")]
WAITING = [ask("Who waits here?", 8), ask("谁在等？", 9)]


def commit(dataset: Dataset, rows: list[Record], waiting: Sequence[Record] = ()) -> Entry:
    """One turn of the wheel, the rows published as they are and `waiting` left pending."""
    pulled = tuple(write_records(r, dataset.work / f"{i}.parquet") for i, r in enumerate((rows, waiting)))
    given = Read(pulled, UNREADABLE.empty_table())
    closed = finished(replace(given, records=pulled[:1]), [], [], table(rows))
    closed.ledger.enter([r.roots[0] for r in waiting], "pending")
    kept = {"asked": closed.tables["asked"], "pending": table(waiting), "ledger": closed.ledger.table(given.users)}
    base = dataset.base
    number = dataset.next_version("minor") if rows else None
    folder = staged(dataset, base, rows, number) if number else None
    entry = Entry(
        seq=dataset.next_seq,
        kind="published" if rows else "budget",
        parent=dataset.head.seq if dataset.head else None,
        base=number or base,
        version=number,
        sources=[{"watermark": max(r.asked_at for r in [*rows, *waiting]).isoformat()}],
        ledger=closed.ledger.counts,
    )
    return dataset.commit(entry, kept, folder)


def staged(dataset: Dataset, base: str | None, rows: list[Record], number: str) -> Path:
    folder = dataset.work / "version"
    old, new = parent_rows(dataset.versions / base if base else None), published(table(rows))
    files = stage(folder, {s: pa.concat_tables([old[s], new[s]]) for s in SIDES})
    write_json({"version": number, "files": files}, folder / "manifest.json")
    return folder


def bare(dataset: Dataset, change: str) -> str:
    """A version without rows: its number is all that counts."""
    number = dataset.next_version(change)
    (folder := dataset.work / "version").mkdir(parents=True)
    dataset.commit(Entry(dataset.next_seq, "published", base=number, version=number), {}, folder)
    return number


def rows_of(dataset: Dataset, version: str) -> int:
    return sum(t.num_rows for t in parent_rows(dataset.versions / version).values())


def watermark(dataset: Dataset) -> str:
    return max((s["watermark"] for e in dataset.chain for s in e.sources), default="")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file that stands, but for the lock and shards under way."""
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    return {n: p.read_bytes() for n, p in files.items() if n != ".lock" and not n.startswith("work/")}


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    made = Dataset(tmp_path / "lake" / "mine")
    with made.held():
        yield made


def test_a_new_dataset_has_nothing(dataset: Dataset):
    assert (dataset.latest, dataset.base, dataset.head, dataset.chain) == (None, None, None, [])
    assert (dataset.known, dataset.pending.num_rows, dataset.past.size) == (frozenset(), 0, 0)
    assert (dataset.next_seq, dataset.next_version("minor")) == (1, "1.0.0")
    assert dataset.ledger().num_rows == 0


def test_a_commit_is_the_version_the_increment_and_then_latest(dataset: Dataset):
    entry = commit(dataset, FIRST, WAITING)
    assert (entry.version, dataset.base, dataset.latest) == ("1.0.0", "1.0.0", "1.0.0")
    assert rows_of(dataset, "1.0.0") == 2
    assert read_manifest(dataset.versions / "1.0.0")["version"] == "1.0.0"
    assert dataset.known == {"l-00001", "l-00002", "l-00008", "l-00009"}
    assert dataset.pending.equals(table(WAITING))
    assert sorted(dataset.past.row(n).row_id for n in range(dataset.past.size)) == sorted(r.row_id for r in FIRST)
    assert dataset.head == entry
    assert not (dataset.work / "version").exists()


def test_another_reader_finds_what_was_committed(dataset: Dataset):
    commit(dataset, FIRST, WAITING)
    commit(dataset, SECOND)
    other = Dataset(dataset.folder)
    assert other.entries == dataset.entries
    assert other.known == dataset.known
    assert repr(other.past) == repr(dataset.past)
    assert rows_of(other, "1.1.0") == 4
    assert [digest(e, other) for e in other.chain] == [digest(e, dataset) for e in dataset.chain]


def test_an_increment_without_a_version_leaves_the_version_in_force(dataset: Dataset):
    commit(dataset, FIRST)
    before = tree(dataset.versions)
    entry = commit(dataset, [], WAITING)
    assert (entry.version, dataset.base, dataset.latest) == (None, "1.0.0", "1.0.0")
    assert tree(dataset.versions) == before
    assert dataset.pending.num_rows == 2
    assert {"l-00001", "l-00008"} < dataset.known


def test_the_first_increment_may_publish_nothing(dataset: Dataset):
    commit(dataset, [], WAITING)
    assert (dataset.latest, dataset.base, dataset.next_version("minor")) == (None, None, "1.0.0")
    commit(dataset, FIRST)
    assert dataset.latest == "1.0.0"


def test_the_ledger_holds_the_last_state_of_each_row(dataset: Dataset):
    commit(dataset, FIRST, [SECOND[0]])
    commit(dataset, SECOND)
    states = {r["log_id"]: r["state"] for r in dataset.ledger().to_pylist()}
    assert states == dict.fromkeys(("l-00001", "l-00002", "l-00003", "l-00004"), "published")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (["minor", "minor"], ["1.0.0", "1.1.0"]),
        (["patch", "patch"], ["1.0.0", "1.0.1"]),
        (["minor", "patch", "minor"], ["1.0.0", "1.0.1", "1.1.0"]),
        (["minor", "minor", "patch", "major", "patch"], ["1.0.0", "1.1.0", "1.1.1", "2.0.0", "2.0.1"]),
    ],
)
def test_version_numbers_grow_by_what_changed(dataset: Dataset, changes: list[str], expected: list[str]):
    assert [bare(dataset, c) for c in changes] == expected


def test_the_tenth_version_comes_after_the_ninth(dataset: Dataset):
    for _ in range(11):
        bare(dataset, "minor")
    assert (dataset.latest, dataset.next_seq, dataset.next_version("minor")) == ("1.10.0", 12, "1.11.0")


def test_a_rollback_takes_watermark_known_rows_pending_rows_and_history_back(dataset: Dataset):
    commit(dataset, FIRST, WAITING)
    then = (watermark(dataset), dataset.known, dataset.pending, repr(dataset.past), dataset.ledger())
    commit(dataset, SECOND)
    assert (watermark(dataset), dataset.known, dataset.pending, repr(dataset.past), dataset.ledger()) != then
    dataset.rollback("1.0.0")
    assert (watermark(dataset), dataset.known, dataset.pending, repr(dataset.past), dataset.ledger()) == then
    assert (dataset.latest, dataset.base, dataset.entries[-1].kind) == ("1.0.0", "1.0.0", "rollback")
    assert [e.seq for e in dataset.chain] == [1]


def test_after_a_rollback_the_next_version_takes_a_number_that_is_free(dataset: Dataset):
    commit(dataset, FIRST)
    commit(dataset, SECOND)
    dataset.rollback("1.0.0")
    assert [dataset.next_version(c) for c in ("major", "minor", "patch")] == ["2.0.0", "1.2.0", "1.0.1"]
    entry = commit(dataset, THIRD)
    assert (entry.version, entry.parent, dataset.latest) == ("1.2.0", 1, "1.2.0")
    assert [e.seq for e in dataset.chain] == [1, 4]
    assert rows_of(dataset, "1.2.0") == 3
    assert "l-00003" not in dataset.known


def test_a_rolled_back_version_stays_on_disk_and_can_come_back(dataset: Dataset):
    commit(dataset, FIRST)
    commit(dataset, SECOND)
    dataset.rollback("1.0.0")
    dataset.recover()
    assert rows_of(dataset, "1.1.0") == 4
    dataset.rollback("1.1.0")
    assert (dataset.latest, [e.seq for e in dataset.chain]) == ("1.1.0", [1, 2])


def test_a_rollback_skips_the_increments_that_published_nothing_since(dataset: Dataset):
    commit(dataset, FIRST)
    commit(dataset, [], WAITING)
    dataset.rollback("1.0.0")
    assert dataset.pending.num_rows == 0
    assert dataset.known == {"l-00001", "l-00002"}


def test_a_rollback_to_no_version_names_those_there_are(dataset: Dataset):
    with pytest.raises(Unfit, match=r"no version 1\.0\.0 .* published were none"):
        dataset.rollback("1.0.0")
    commit(dataset, FIRST)
    commit(dataset, SECOND)
    with pytest.raises(Unfit, match=r"no version 3\.0\.0 .* published were 1\.0\.0, 1\.1\.0"):
        dataset.rollback("3.0.0")


DAY = datetime(2026, 3, 1, tzinfo=UTC)


def read_until(dataset: Dataset, day: float | None, since: str = "") -> datetime | None:
    """One run that read a database up to a day; gives what the next one goes on from."""
    mark = (DAY + timedelta(days=day)).isoformat() if day is not None else ""
    source = {"stream": "s-1", "watermark": mark, "since": since, "until": ""}
    head = dataset.head.seq if dataset.head else None
    dataset.commit(Entry(dataset.next_seq, "budget", parent=head, base=dataset.base, sources=[source]), {})
    return dataset.watermark("s-1")


def test_a_source_is_read_up_to_the_latest_row_and_a_backfill_moves_nothing_back(dataset: Dataset):
    assert dataset.watermark("s-1") is None
    assert read_until(dataset, 7) == DAY + timedelta(days=7)
    assert read_until(dataset, 2, since=DAY.isoformat()) == DAY + timedelta(days=7)
    assert read_until(dataset, None) == DAY + timedelta(days=7), "a run that found nothing new"
    assert read_until(dataset, 14.5) == DAY + timedelta(days=14.5)
    assert dataset.watermark("s-2") is None, "another query of the same database"


@pytest.mark.parametrize(("since", "mark"), [("2026-03-10T08:00:00", 7), ("2026-03-08", 12), ("2026-03-05", 12)])
def test_a_backfill_counts_where_it_leaves_no_gap(dataset: Dataset, since: str, mark: float):
    read_until(dataset, 7)
    assert read_until(dataset, 12, since) == DAY + timedelta(days=mark)


def test_a_backfill_of_a_source_that_was_never_read_says_nothing_of_what_is_before_it(dataset: Dataset):
    assert read_until(dataset, 12, since="2026-03-05") is None
    assert read_until(dataset, 12.5) == DAY + timedelta(days=12.5)


def test_a_rollback_takes_back_up_to_when_a_source_was_read(dataset: Dataset):
    read_until(dataset, 7)
    commit(dataset, FIRST)
    read_until(dataset, 14)
    dataset.rollback("1.0.0")
    assert dataset.watermark("s-1") == DAY + timedelta(days=7)


def half_written(before: Path, after: Path) -> None:
    beside = before / "increments" / ".00002"
    beside.mkdir()
    (beside / "ledger.parquet").write_bytes(b"PAR1 and no more")
    (beside / ".asked.parquet.123.part").write_bytes(b"PA")


def written_and_hidden(before: Path, after: Path) -> None:
    shutil.copytree(after / "increments" / "00002", before / "increments" / ".00002")


def version_in_place(before: Path, after: Path) -> None:
    written_and_hidden(before, after)
    shutil.copytree(after / "versions" / "1.1.0", before / "versions" / "1.1.0")


def increment_in_place(before: Path, after: Path) -> None:
    version_in_place(before, after)
    (before / "increments" / ".00002").rename(before / "increments" / "00002")


def latest_half_written(before: Path, after: Path) -> None:
    increment_in_place(before, after)
    (before / ".LATEST.123.part").write_bytes(b"1.")


Left = Callable[[Path, Path], None]


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    """A dataset before its second commit, and after it."""
    before, after = tmp_path / "before", tmp_path / "after"
    with (first := Dataset(before)).held():
        commit(first, FIRST, WAITING)
    shutil.copytree(before, after)
    with (second := Dataset(after)).held():
        commit(second, SECOND)
    return before, after


@pytest.mark.parametrize("left", [half_written, written_and_hidden, version_in_place])
def test_a_run_killed_before_its_commit_leaves_nothing_and_can_be_run_again(both: tuple[Path, Path], left: Left):
    before, after = both
    clean = tree(before)
    left(before, after)
    with (again := Dataset(before)).held():
        assert tree(before) == clean
        assert (again.latest, again.next_seq, again.next_version("minor")) == ("1.0.0", 2, "1.1.0")
        commit(again, SECOND)
    assert tree(before) == tree(after)


@pytest.mark.parametrize("left", [increment_in_place, latest_half_written])
def test_a_run_killed_after_its_commit_is_finished_by_the_next(both: tuple[Path, Path], left: Left):
    before, after = both
    left(before, after)
    assert Dataset(before).latest == "1.0.0"
    with (again := Dataset(before)).held():
        assert again.latest == "1.1.0"
        assert again.pending.num_rows == 0
    assert tree(before) == tree(after)


def test_the_very_first_commit_killed_leaves_an_empty_dataset(tmp_path: Path):
    with (whole := Dataset(tmp_path / "whole")).held():
        commit(whole, FIRST)
    left = tmp_path / "left"
    shutil.copytree(whole.versions, left / "versions")
    with (again := Dataset(left)).held():
        assert tree(left) == {}
        commit(again, FIRST)
    assert tree(left) == tree(whole.folder)


def test_what_a_team_put_beside_its_versions_is_left_alone(dataset: Dataset):
    commit(dataset, FIRST)
    (dataset.versions / ".DS_Store").write_bytes(b"\0")
    (dataset.versions / "1.0.0-by-hand").mkdir()
    dataset.recover()
    assert {p.name for p in dataset.versions.iterdir()} == {"1.0.0", ".DS_Store", "1.0.0-by-hand"}


def test_one_that_looked_before_another_run_published_does_not_undo_it(tmp_path: Path):
    early = Dataset(tmp_path)
    assert early.entries == []
    with (other := Dataset(tmp_path)).held():
        commit(other, FIRST)
    with early.held():
        assert early.latest == early.base == "1.0.0"
        assert rows_of(early, "1.0.0") == 2
        assert early.next_seq == 2


def test_a_dataset_that_is_held_is_busy_and_free_again_after_a_fault(tmp_path: Path):
    def fail() -> None:
        with Dataset(tmp_path).held():
            with pytest.raises(Busy, match="another run holds"), Dataset(tmp_path).held():
                pass
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    with Dataset(tmp_path).held():
        pass


def test_the_same_rows_commit_to_the_same_bytes(tmp_path: Path):
    for name in ("one", "other"):
        with (made := Dataset(tmp_path / name)).held():
            commit(made, FIRST, WAITING)
            commit(made, SECOND)
            made.rollback("1.0.0")
    assert tree(tmp_path / "one") == tree(tmp_path / "other")


def test_only_the_owner_can_read_what_holds_log_text(tmp_path: Path):
    dataset = Dataset(tmp_path / "d")
    with dataset.held():
        modes = {p.name: p.stat().st_mode & 0o777 for p in (dataset.increments, dataset.runs, dataset.work)}
    assert modes == {"increments": 0o700, "runs": 0o700, "work": 0o700}
