"""Old versions make room for new ones, and nothing that somebody stands on goes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.history import retention
from tasks.history.dataset import Dataset, Entry, Unfit
from tasks.history.retention import removed, surplus


def log(*kinds: str) -> list[Entry]:
    """An increment log: `p` publishes the next version, `n` finds nothing new, a number rolls back to that version."""
    entries: list[Entry] = []
    for seq, kind in enumerate(kinds, 1):
        parent = entries[-1].seq if entries else None
        base = entries[-1].base if entries else None
        if kind == "p":
            number = f"1.{sum(k == 'p' for k in kinds[: seq - 1])}.0"
            entries.append(Entry(seq, "published", parent, number, number))
        elif kind == "n":
            entries.append(Entry(seq, "nothing_new", parent, base))
        else:
            back = next(e for e in entries if e.version == kind)
            entries.append(Entry(seq, "rollback", back.seq, kind))
    return entries


@pytest.mark.parametrize(
    ("kinds", "keep", "pinned", "gone"),
    [
        ("pppp", 4, [], []),
        ("pppp", 2, [], ["1.0.0", "1.1.0"]),
        ("pppp", 1, [], ["1.0.0", "1.1.0"]),
        ("ppnpp", 1, [], ["1.0.0", "1.1.0"]),
        ("pppp", 1, ["1.0.0"], ["1.1.0"]),
        ("pppp", 9, [], []),
        ("p", 1, [], []),
        ("", 1, [], []),
        (["p", "p", "p", "1.0.0"], 1, [], ["1.1.0"]),
        (["p", "p", "p", "1.0.0", "p", "p", "p"], 1, [], ["1.1.0", "1.2.0", "1.3.0"]),
    ],
)
def test_what_goes_is_old_and_nothing_stands_on_it(kinds: str, keep: int, pinned: list[str], gone: list[str]):
    entries = log(*kinds)
    there = {str(e.version) for e in entries if e.version}
    assert surplus(entries, there, keep, pinned) == gone


def test_what_went_before_is_not_counted_again():
    assert surplus(log(*"ppppp"), {"1.3.0", "1.4.0"}, 1, []) == []


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    made = Dataset(tmp_path / "mine")
    with made.held():
        for _ in range(4):
            publish(made)
        yield made


def publish(made: Dataset) -> str:
    number, head = made.next_version("minor"), made.head
    (folder := made.work / "version" / "data").mkdir(parents=True)
    (folder / "rows").write_text(number)
    parent = head.seq if head else None
    made.commit(Entry(made.next_seq, "published", parent, number, number), {}, folder.parent)
    return number


def standing(made: Dataset) -> list[str]:
    return sorted(p.name for p in made.versions.iterdir())


def test_a_removed_version_is_gone_from_the_disk_and_says_so(dataset: Dataset):
    assert dataset.retire(2) == ["1.0.0", "1.1.0"]
    assert standing(dataset) == ["1.2.0", "1.3.0"]
    assert removed(dataset.folder) == {"1.0.0": "1.3.0", "1.1.0": "1.3.0"}
    assert [e.version for e in dataset.entries] == ["1.0.0", "1.1.0", "1.2.0", "1.3.0"]
    with pytest.raises(Unfit, match=r"version 1\.0\.0 was removed when 1\.3\.0 was published"):
        dataset.rollback("1.0.0")
    assert dataset.retire(2) == []


def test_the_number_of_a_removed_version_is_never_given_again(dataset: Dataset):
    dataset.rollback("1.1.0")
    assert publish(dataset) == "1.4.0"
    assert dataset.retire(1) == ["1.0.0", "1.2.0", "1.3.0"]
    dataset.rollback("1.1.0")
    assert publish(dataset) == "1.5.0"


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moment", ["before the first", "in the middle of one", "between two"])
def test_a_run_that_is_killed_while_it_removes_leaves_whole_versions_and_the_next_one_finishes(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, moment: str
):
    whole = shutil.rmtree
    calls: list[Path] = []

    def die(folder: Path) -> None:
        calls.append(folder)
        if moment == "in the middle of one":
            (folder / "data" / "rows").unlink()
        if moment != "between two" or len(calls) > 1:
            raise Killed
        whole(folder)

    with monkeypatch.context() as patched:
        patched.setattr(*((retention, "sweep") if moment == "before the first" else (shutil, "rmtree")), die)
        with pytest.raises(Killed):
            dataset.retire(2)
    assert all((v / "data" / "rows").exists() for v in dataset.versions.glob("[0-9]*"))
    dataset.recover()
    assert standing(dataset) == ["1.2.0", "1.3.0"]
    assert dataset.base == dataset.latest == "1.3.0"
