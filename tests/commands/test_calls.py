import asyncio
import json
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq
import pytest

from flows.commands import flywheel
from tasks.history.dataset import Dataset, Entry
from tasks.teacher.batched import HandedIn, Question
from tasks.teacher.outcomes import Reply
from tasks.teacher.store import Attempt, CallStore, Stored


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    with (made := Dataset(tmp_path / "lake" / "mine")).held():
        made.commit(Entry(1, "nothing_new"), {})
    asyncio.run(remember(made.calls))
    return tmp_path / "lake"


async def remember(path: Path) -> None:
    async with CallStore(path, "00001") as store:
        for i, text in enumerate(("first", "第二 \x1b[31mred", "third " * 40)):
            at = f"2026-01-0{i + 1}T00:00:00Z"
            store.put(Stored(f"k{i}", "good", 9, 0.5, at, json.dumps({"messages": []}), Reply(text, model="m")))
            store.record(Attempt("answer", f"p-{i}", f"k{i}", at, "good", 0.5, 30, 12, 0.25, "m-1"))


def told(lake: Path, *options: str) -> list[str]:
    return ["calls", "--out", str(lake), "--name", "mine", *options]


def run(lake: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    code = flywheel.main(told(lake, *options), standalone_mode=False)
    return code, capsys.readouterr().out


def plain(lake: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    code, out = run(lake, capsys, "--json", *options)
    assert code == 0
    return json.loads(out.splitlines()[-1])


def test_figures_by_stage_for_all_runs_or_one(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, page = run(lake, capsys)
    assert "3 good" in page
    assert "0.7500" in page
    assert "m-1" in page
    assert plain(lake, capsys, "--run", "1")["stages"]["answer"]["tokens_out"] == 36
    assert plain(lake, capsys, "--run", "2")["stages"] == {}


async def cheap(path: Path) -> None:
    """Answers of a stage whose model has no price that is known."""
    async with CallStore(path, "00002") as store:
        store.record(Attempt("judge", "p-0", "k9", "2026-01-09T00:00:00Z", "good", 0.5, 30, 12, 0.0, "m-2"))


def test_what_nobody_knows_the_price_of_is_not_said_to_cost_nothing(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "–" not in run(lake, capsys)[1]
    asyncio.run(cheap(lake / "mine" / "calls.sqlite"))
    _, page = run(lake, capsys)
    (line,) = (line for line in page.splitlines() if "m-2" in line)
    assert "0.0000" not in page
    assert "–" in line
    assert "– USD: no price was known" in page
    assert "0.7500" in page


def test_a_list_shows_replies_on_one_line_and_obeys_none(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, page = run(lake, capsys, "--list", "2")
    assert len(page.splitlines()) == 3
    assert "\x1b" not in page
    assert "first" not in page
    assert [c["text"] for c in plain(lake, capsys, "--list", "9", "--record", "p-0")["calls"]] == ["first"]


def test_an_export_is_a_parquet_file(lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plain(lake, capsys, "--export", str(tmp_path / "c.parquet"))["exported"] == 3
    assert pq.read_table(tmp_path / "c.parquet").num_rows == 3


def test_answers_are_forgotten_by_record_and_by_age(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plain(lake, capsys, "--purge", "--record", "p-1")["forgotten"] == 1
    assert plain(lake, capsys, "--prune", "0")["forgotten"] == 2
    with pytest.raises(click.UsageError, match="needs --record"):
        run(lake, capsys, "--purge")


def test_an_id_for_which_nothing_was_asked_is_not_purged_in_silence(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flywheel.main(told(lake, "--purge", "--record", "p-7"), standalone_mode=False) == 2
    assert "nothing was ever asked for the prompt p-7" in capsys.readouterr().err
    for gone in (1, 0):  # what is gone is gone the second time too
        assert plain(lake, capsys, "--purge", "--record", "p-1")["forgotten"] == gone


@pytest.mark.parametrize("days", ["-1", "36501", "99999999999", "two"])
def test_an_age_that_is_none_forgets_nothing(lake: Path, days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(click.BadParameter, match="not"):
        run(lake, capsys, "--prune", days)
    assert plain(lake, capsys)["kept"] == {"good": 3}


@pytest.mark.parametrize(
    "options",
    [
        ("--purge", "--record", "p-1", "--prune", "0"),
        ("--list", "1", "--prune", "0"),
        ("--export", "c.parquet", "--purge", "--record", "p-1"),
        ("--run", "1", "--prune", "0"),
        ("--record", "p-1", "--prune", "0"),
        ("--record", "p-1"),
        ("--outcome", "good"),
    ],
)
def test_options_that_do_not_go_together_forget_nothing(
    lake: Path, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(click.UsageError):
        run(lake, capsys, *options)
    assert plain(lake, capsys)["kept"] == {"good": 3}


def test_an_export_takes_no_file_away_and_is_as_private_as_the_store(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "new" / "c.parquet"
    assert plain(lake, capsys, "--export", str(target))["exported"] == 3
    assert target.stat().st_mode & 0o777 == 0o600
    for there in (target, lake / "mine" / "calls.sqlite"):
        before = there.read_bytes()
        assert flywheel.main(told(lake, "--export", str(there)), standalone_mode=False) == 2
        assert f"{there} is there already" in capsys.readouterr().err
        assert there.read_bytes() == before
    assert flywheel.main(told(lake, "--export", str(target / "c.parquet")), standalone_mode=False) == 2
    assert f"cannot write {target / 'c.parquet'}" in capsys.readouterr().err


def test_a_run_that_asked_nobody_is_told_from_those_that_did(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, page = run(lake, capsys, "--run", "7")
    assert "run 00007 asked nobody; the runs that did: 00001" in page


def test_the_calls_of_a_first_run_are_there_before_it_has_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(remember(tmp_path / "lake" / "mine" / "calls.sqlite"))
    assert plain(tmp_path / "lake", capsys)["kept"] == {"good": 3}


async def hand_in(path: Path, batch: str) -> None:
    async with CallStore(path) as store:
        questions = [Question(f"q{i}", "answer", f"p-{i}", 9, "{}") for i in range(2)]
        store.batches.begin(HandedIn("file-1", 1, batch), "e", "m-1", questions)


@pytest.mark.parametrize(("batch", "said"), [("batch_7", "batch batch_7"), ("", "batch of file file-1")])
def test_what_was_handed_in_and_not_collected_is_told(
    lake: Path, batch: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plain(lake, capsys)["batches"] == []
    asyncio.run(hand_in(lake / "mine" / "calls.sqlite", batch))
    assert run(lake, capsys)[1].splitlines()[-1] == f"2 questions to m-1 are in {said}: the next run collects it"
    assert plain(lake, capsys)["batches"] == [{"file": "file-1", "batch": batch, "model": "m-1", "questions": 2}]


def test_nothing_is_forgotten_while_a_run_holds_the_dataset(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Dataset(lake / "mine").held():
        assert flywheel.main(told(lake, "--prune", "0"), standalone_mode=False) == 6
        said = capsys.readouterr()
        assert plain(lake, capsys)["kept"] == {"good": 3}
    assert said.err == f"flywheel: another run holds {lake / 'mine'} — wait for it\n"
    assert said.out.strip() == "mine: busy"
