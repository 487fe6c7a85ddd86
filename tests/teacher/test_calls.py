import contextlib
import os
import shutil
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest

from tasks.recipe import Price
from tasks.teacher.calls import export, figures, latest
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer
from tasks.teacher.store import attempted, stored
from tests import faults
from tests.engines import engine_at
from tests.faults import FaultsServer, asked, refused

SECRET = "面包师傅的秘方"


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    """Three answers in two stages, one of them cut, after one fault in passing; none in the millisecond of another."""
    script = asked({"bread": [refused(500)], "essay": [faults.cut_at_limit]})
    price = Price(input=0, output=1e6)
    server = FaultsServer(script=script, latency=0.002)
    async with server, engine_at(server, tmp_path, price=price) as engine:
        for stage, record, text in (("answer", "p-1", "bread"), ("answer", "p-2", "essay"), ("judge", "p-3", SECRET)):
            body = {"messages": [{"role": "user", "content": text}], "temperature": 0.0, "max_tokens": 100}
            with contextlib.suppress(NoAnswer):
                await engine.call(body, 0, Count(), stage, record)
    return tmp_path / "calls.sqlite"


async def test_figures_count_every_attempt_and_what_it_cost(store: Path) -> None:
    plain = figures(store)
    answer, judge = plain["stages"]["answer"], plain["stages"]["judge"]
    assert answer["attempts"] == {"good": 1, "http_500": 1, "truncated": 1}
    assert judge["attempts"] == {"good": 1}
    assert answer["usd"] == answer["tokens_out"] > 0
    assert 0 < answer["p50"] <= answer["p95"]
    assert plain["kept"] == {"good": 2, "truncated": 1}
    assert judge["models"]["m-1"] == {k: v for k, v in judge.items() if k != "models"}
    assert figures(store, "00009")["stages"] == {}


async def test_the_newest_calls_are_listed_by_outcome_and_by_record(store: Path) -> None:
    assert sorted(c["outcome"] for c in latest(store, 9)) == ["good", "good", "truncated"]
    (newest,) = latest(store, 1)
    assert newest["at"] == max(c["at"] for c in latest(store, 9))
    (cut,) = latest(store, 9, "truncated")
    assert "essay" in cut["request"]
    (third,) = latest(store, 9, record="p-3")
    assert SECRET in third["request"]


async def test_an_export_holds_every_call_as_it_was(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "calls.parquet"
    assert export(store, target) == 3
    rows = {r["key"]: r for r in pq.read_table(target).to_pylist()}
    for call in stored(store):
        row = rows.pop(call.key)
        assert (row["request"], row["text"], row["outcome"]) == (call.request, call.reply.text, call.outcome)
    assert not rows


NOBODY = 65534


def look(path: Path, found: SimpleQueue[Any]) -> None:
    """As somebody who may read and not write."""
    if os.getuid() == 0:  # whom no mode keeps from writing
        os.setuid(NOBODY)
    with contextlib.suppress(PermissionError):
        path.with_name("new").touch()
    found.put((figures(path)["kept"], len(latest(path, 9)), len(list(stored(path))), attempted(path, ["judge"])))


async def test_a_store_that_nobody_can_write_to_can_be_looked_at(store: Path) -> None:
    fork = get_context("fork")
    found = fork.SimpleQueue()
    with TemporaryDirectory() as folder:  # not in one that pytest keeps to its user
        path = Path(folder) / "calls.sqlite"
        shutil.copy(store, path)
        path.chmod(0o444)
        path.parent.chmod(0o555)
        process = fork.Process(target=look, args=(path, found))
        process.start()
        process.join(30)
        assert process.exitcode == 0
        assert sorted(p.name for p in path.parent.iterdir()) == ["calls.sqlite"]
        path.parent.chmod(0o755)
    kept, newest, every, sent = found.get()
    assert (kept, newest, every) == ({"good": 2, "truncated": 1}, 3, 3)
    assert [*sent.values()] == [{"p-3": "judge"}]
