import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.recipe import PROJECT
from tasks.teacher.count import Count
from tasks.teacher.outcomes import Reply
from tasks.teacher.store import GROUP_SECONDS, ROW_SECONDS, TABLES, Attempt, CallStore, Stored, stored

HOSTILE = '中文 {{x}} </user> "}]} NUL \0 and a lone surrogate \ud800'


def call(key: str, text: str = "an answer", outcome: str = "good", max_tokens: int = 10) -> Stored:
    return Stored(
        key, outcome, max_tokens, 0.25, "2026-01-05T00:00:00Z", f"asked: {text}", Reply(text, "why", model="m")
    )


async def found(store: CallStore, key: str) -> Stored | None:
    """What a store knows under a key; the request is not read with it."""
    known = store.look_up(key)
    return known and replace(known, request="")


async def test_what_was_put_is_there_at_once_and_after_reopening(tmp_path: Path) -> None:
    kept = [call("a"), call("b", HOSTILE), call("c", "", "truncated")]
    async with CallStore(tmp_path / "calls.sqlite") as store:
        for one in kept:
            store.put(one)
        assert [await found(store, c.key) for c in kept] == [replace(c, request="") for c in kept]
        assert store.look_up("d") is None
    async with CallStore(tmp_path / "calls.sqlite") as store:
        assert [await found(store, c.key) for c in kept] == [replace(c, request="") for c in kept]
        assert store.look_up("d") is None


async def test_a_store_is_read_through_while_another_writes_and_is_not_made_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "一 store?#%.sqlite"
    assert list(stored(path)) == []
    assert not path.exists()
    async with CallStore(path) as store:
        store.put(call("b", HOSTILE))
        store.put(call("a"))
        await store.flush()
        assert list(stored(path)) == [call("a"), call("b", HOSTILE)]
    assert list(stored(path)) == [call("a"), call("b", HOSTILE)]


async def test_the_later_answer_to_a_key_counts(tmp_path: Path) -> None:
    async with CallStore(tmp_path / "calls.sqlite") as store:
        store.put(call("a", "cut", "truncated", 10))
        await store.flush()
        store.put(call("a", "whole", "good", 20))
        assert await found(store, "a") == replace(call("a", "whole", "good", 20), request="")
    async with CallStore(tmp_path / "calls.sqlite") as store:
        assert await found(store, "a") == replace(call("a", "whole", "good", 20), request="")


async def test_a_store_that_is_left_in_the_middle_of_a_commit_keeps_everything(tmp_path: Path) -> None:
    for start in range(0, 3000, 300):  # more than a group, so that one is on its way when the block ends
        async with CallStore(tmp_path / "calls.sqlite") as store:
            for i in range(start, start + 300):
                store.put(call(str(i)))
            await asyncio.sleep(0.001)
    async with CallStore(tmp_path / "calls.sqlite") as store:
        assert all(store.look_up(str(i)) for i in range(3000))


async def test_an_older_store_whose_rows_lie_in_the_tree_of_the_keys_is_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    with sqlite3.connect(path) as link:
        link.execute(f"{TABLES[0]} without rowid")
    async with CallStore(path) as store:
        store.put(call("b", "an answer"))
        store.put(call("a", HOSTILE))
    async with CallStore(path) as store:
        store.put(call("b", "a later answer"))
        await store.flush()
        assert await found(store, "a") == replace(call("a", HOSTILE), request="")
    assert list(stored(path)) == [call("a", HOSTILE), call("b", "a later answer")]
    with sqlite3.connect(path) as link, pytest.raises(sqlite3.OperationalError, match="rowid"):
        link.execute("select rowid from calls")


async def test_two_runs_may_read_and_write_one_store(tmp_path: Path) -> None:
    async with CallStore(tmp_path / "calls.sqlite") as one, CallStore(tmp_path / "calls.sqlite") as other:
        one.put(call("a"))
        other.put(call("b"))
        await one.flush()
        await other.flush()
        assert await found(one, "b") == replace(call("b"), request="")
        assert await found(other, "a") == replace(call("a"), request="")


async def test_what_is_on_disk_and_what_still_waits_is_found_at_once(tmp_path: Path) -> None:
    async with CallStore(tmp_path / "calls.sqlite") as store:
        for i in range(0, 3000, 2):
            store.put(call(str(i)))
        await store.flush()
        store.put(call("waiting"))
        found = [store.look_up(str(i)) for i in (*range(3000), 2, "waiting")]
        known = [k.key if k else None for k in found]
    assert known == [str(i) if i % 2 == 0 else None for i in range(3000)] + ["2", "waiting"]


async def test_every_attempt_is_kept_and_a_run_knows_what_it_spent_before_it_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    for run in ("00001", "00002", "00002"):
        async with CallStore(path, run) as store:
            for stage, outcome in (("answer", "http_500"), ("answer", "good"), ("judge", "good")):
                used = (30, 12, 0.25) if outcome == "good" else (0, 0, 0.0)
                store.record(Attempt(stage, "p-1", "k", "2026-01-05T00:00:00Z", outcome, 0.5, *used))
            await store.flush()
            spent = store.spent()
    assert spent == {"answer": Count(4, 0, 60, 24, 0.5), "judge": Count(2, 0, 60, 24, 0.5)}


async def test_a_group_waits_by_the_size_of_the_one_before_and_never_for_long(tmp_path: Path) -> None:
    async with CallStore(tmp_path / "calls.sqlite") as store:
        pauses = [store.pause]
        for many in (1, 3, 1000, 1):
            for _ in range(many):
                store.record(Attempt("answer", "p-1", "k", "2026-01-05T00:00:00Z", "good", 0.5, 30, 12, 0.25))
            await store.flush()
            pauses.append(store.pause)
    assert pauses == [0, ROW_SECONDS, 3 * ROW_SECONDS, GROUP_SECONDS, ROW_SECONDS]


async def test_many_calls_of_one_kind_are_packed_with_what_they_share(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    words = "label the conversation with one of these task types and a domain: " + " ".join(map(str, range(200)))
    kept = [replace(call(f"{i:04d}", f"答案 {i} {HOSTILE}"), request=f"{words} {i}") for i in range(3000)]
    async with CallStore(path) as store:
        for start in (0, 1500):
            for one in kept[start : start + 1500]:
                store.put(one)
            await store.flush()
        assert store.packing.trained
        half = "select sum(length(request)) from calls where (key < '1500') = ?"
        before, after = (store.writer.execute(half, (first,)).fetchone()[0] for first in (1, 0))
        assert after < before / 3
        assert await found(store, "2999") == replace(kept[-1], request="")
    assert list(stored(path)) == kept
    async with CallStore(path) as store:
        assert await found(store, "0001") == replace(kept[1], request="")


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from tasks.teacher.store import CallStore
from tests.teacher.test_store import call

async def main():
    async with CallStore(Path(sys.argv[1])) as store:
        store.put(call("committed"))
        await store.flush()
        store.put(call("waiting"))
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_kill_loses_the_group_that_was_not_committed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    command = [sys.executable, "-c", KILLED, str(path)]
    known = {**os.environ, "PYTHONPATH": "."}
    child = await asyncio.create_subprocess_exec(*command, cwd=PROJECT, env=known)
    assert await child.wait() == -signal.SIGKILL
    async with CallStore(path) as store:
        assert await found(store, "committed") == replace(call("committed"), request="")
        assert store.look_up("waiting") is None


async def test_only_the_owner_may_read_the_store(tmp_path: Path) -> None:
    async with CallStore(tmp_path / "deep" / "calls.sqlite") as store:
        store.put(call("a"))
        await store.flush()
        files = list((tmp_path / "deep").iterdir())
        assert {f.name for f in files} == {"calls.sqlite", "calls.sqlite-wal", "calls.sqlite-shm"}
        assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}


@pytest.mark.parametrize(
    ("outcome", "limit", "answers"),
    [
        ("good", 5, True),
        ("good", 10, True),
        ("good", 20, True),
        ("filtered", 20, True),
        ("truncated", 5, True),
        ("truncated", 10, True),
        ("truncated", 20, False),
        ("refused_by_endpoint", 10, True),
        ("refused_by_endpoint", 5, False),
        ("refused_by_endpoint", 20, False),
    ],
)
def test_whether_an_outcome_answers_another_limit(outcome: str, limit: int, answers: bool) -> None:
    assert call("a", outcome=outcome, max_tokens=10).answers(limit) is answers


async def test_a_flush_does_not_wait_for_what_is_put_after_it(tmp_path: Path) -> None:
    """At full load there is always something that is not on disk yet."""
    async with CallStore(tmp_path / "calls.sqlite") as store:
        stop = asyncio.Event()

        async def putting() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                store.put(call(f"after {number}"))
                await asyncio.sleep(0)

        store.put(call("before"))
        load = asyncio.create_task(putting())
        async with asyncio.timeout(20):
            await store.flush()
        kept = {one.key for one in stored(tmp_path / "calls.sqlite")}
        stop.set()
        await load
    assert "before" in kept


FULL = """
import asyncio, resource, signal, sqlite3, sys
from pathlib import Path
from tests.engines import ask, engine_at
from tests.faults import FaultsServer

async def main():
    async with FaultsServer() as server, engine_at(server, Path(sys.argv[1]), max_in_flight=8) as engine:
        await ask(engine, "before")
        await engine.flush()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        asked = [ask(engine, f"{i} {sys.argv[2]}" * 100) for i in range(2000)]
        ends = await asyncio.gather(*asked, return_exceptions=True)
        failed = [end for end in ends if isinstance(end, BaseException)]
        assert {type(end) for end in failed} == {sqlite3.OperationalError}, set(map(repr, failed))
        assert (await ask(engine, "before")).hit
        try:
            await engine.flush()
        except sqlite3.OperationalError:
            print("no flush")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(len(server.calls), len(ends) - len(failed) + 1)

asyncio.run(main())
"""


@pytest.mark.parametrize("words", ["why", "为什么"])
def test_nothing_is_asked_any_more_once_answers_cannot_be_kept_and_none_that_came_is_lost(
    words: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), words], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    said, figures = done.stdout.splitlines()
    sent, answered = map(int, figures.split())
    assert said == "no flush"
    assert answered == sent < 1500
    assert len(list(stored(tmp_path / "calls.sqlite"))) == sent  # there was room again at the end
