import asyncio
import json
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq
import pytest

from flows.commands import flywheel
from tasks.history.dataset import Dataset, Entry
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


def run(lake: Path, capsys: pytest.CaptureFixture[str], *told: str) -> tuple[int, str]:
    code = flywheel.main(["calls", "--out", str(lake), "--name", "mine", *told], standalone_mode=False)
    return code, capsys.readouterr().out


def plain(lake: Path, capsys: pytest.CaptureFixture[str], *told: str) -> dict[str, Any]:
    code, out = run(lake, capsys, "--json", *told)
    assert code == 0
    return json.loads(out.splitlines()[-1])


def test_figures_by_stage_for_all_runs_or_one(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, page = run(lake, capsys)
    assert "3 good" in page
    assert "0.7500" in page
    assert "m-1" in page
    assert plain(lake, capsys, "--run", "1")["stages"]["answer"]["tokens_out"] == 36
    assert plain(lake, capsys, "--run", "2")["stages"] == {}


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
