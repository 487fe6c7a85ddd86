"""A key that is right, through a whole refresh at a server that goes wrong and echoes it: it then stands nowhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tasks.teacher.store import stored
from tests import faults
from tests.faults import Call, Fault, FaultsServer, rate_limited, refused
from tests.flows.teachers import good, teacher
from tests.flows.test_refresh import Flywheel, files, logs, own

SECRET = "sk-planted-0123456789abcdef"
ECHO = f"a bad day for Bearer {SECRET}"
SOME = (
    refused(500, "", ECHO),
    refused(429, "rate_limit_exceeded", ECHO),
    faults.body(f"<html>{ECHO}</html>", 502, "text/html"),
    faults.body(ECHO),
    rate_limited(ms=5),
    faults.reset,
    faults.cut_body,
)


def script(call: Call) -> Fault | None:
    """Each question meets a fault when it is asked first; one is refused for good."""
    if "hash function" in json.dumps(call.body) and "response_format" not in call.body:
        return refused(400, "invalid_request_error", ECHO)
    return SOME[call.number % len(SOME)] if call.nth == 0 and call.number % 3 == 0 else None


def said(body: dict[str, Any]) -> str:
    reply = json.loads(str(good(body).text))  # type: ignore[attr-defined]
    return reply["choices"][0]["message"]["content"]


def held(folder: Path) -> Iterator[bytes]:
    """All that stands in a folder, tables and calls unpacked too."""
    yield from files(folder).values()
    for path in folder.rglob("*.parquet"):
        yield str(pq.read_table(path).to_pylist()).encode()
    for path in folder.rglob("calls.sqlite"):
        yield from (f"{call.request} {call.outcome} {call.reply}".encode() for call in stored(path))


def test_a_good_key_stands_nowhere_after_a_refresh_that_published(flywheel: Flywheel, tmp_path: Path) -> None:
    made: list[FaultsServer] = []

    def server(*_: Any) -> FaultsServer:
        made.append(FaultsServer(said, script))
        return made[0]

    with teacher(good, server) as moody:
        told = own(logs(tmp_path / "l.jsonl"), tmp_path / "lake", moody.url, "--set", "teacher.attempts=9")
        done = flywheel(*told, OPENAI_API_KEY=SECRET)
        shown = [
            flywheel("calls", "--out", str(tmp_path / "lake"), "--name", "weekly", *more)
            for more in (["--list", "99"], ["--json"])
        ]
    assert done.code == 0, done.err
    assert done.json["ledger"] == {"published": 9, "dropped:refused_by_endpoint": 1}
    assert {call.headers["Authorization"] for call in made[0].calls} == {f"Bearer {SECRET}"}
    assert sum(call.nth > 0 for call in made[0].calls) > 5
    assert (made[0].paid_twice, made[0].early) == (0, 0)
    assert all(SECRET not in d.out + d.err for d in (done, *shown))
    for folder in (tmp_path, Path(os.environ["PREFECT_HOME"])):  # Prefect's database, logs, artifacts and results
        assert all(SECRET.encode() not in text for text in held(folder))
    assert any(b"a bad day for Bearer [key]" in text for text in held(tmp_path))
