"""The engine's benchmark: its server and its report, and our own client as it is run beside the others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.engine.measured import Given, answer, judged, question
from benchmarks.engine.peers import PEERS
from benchmarks.engine.report import COLUMNS, markdown
from benchmarks.engine.runs import Client, Failed, serving
from benchmarks.engine.scenarios import killed
from benchmarks.engine.server import drawn_fault, drawn_latency
from tests.faults import Call

OURS = next(p for p in PEERS if p.name == "ours")


def call(number: int, nth: int = 0) -> Call:
    return Call(number, nth, 0.0, {"messages": [{"role": "user", "content": question(number)}]}, {})


def row(name: str, wall: float, lost: int = 0) -> dict[str, Any]:
    result = {"rows": 100, "calls": 100, "ok": 100 - lost, "empty": 0, "lost": lost}
    cold = result | {"wall": wall, "cpu": 1.0, "peak": 80.0, "over_ideal": wall, "cpu_ms": 0.5}
    return {"name": name, "title": name, "package": "p", "version": "1", "keeps": False, "results": {"cold_256": cold}}


def told(*rows: dict[str, Any]) -> dict[str, Any]:
    where = {"date": "2026-11-21", "python": "3.11", "system": "Linux", "cores": 2, "load": 0.1, "seconds": 60.0}
    return where | {"server": {"64": {"a second": 5000.0}}, "clients": list(rows)}


def test_every_client_meets_the_same_latencies_with_the_mean_that_is_promised() -> None:
    drawn = [drawn_latency(call(n), 0.3) for n in range(4_000)]
    assert drawn == [drawn_latency(call(n), 0.3) for n in range(4_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(0.3, rel=0.03)
    assert drawn_latency(call(1), 0.0) == 0.0


def test_faults_come_as_often_as_promised_and_not_at_all_without_a_share() -> None:
    drawn = [drawn_fault(call(n), 0.05) for n in range(4_000)]
    assert sum(f is not None for f in drawn) / len(drawn) == pytest.approx(0.05, abs=0.01)
    assert drawn_fault(call(1), 0.0) is None


def test_an_answer_counts_only_for_its_own_question(tmp_path: Path) -> None:
    given = Given("", 4, 1, tmp_path)
    right = [answer(q) for q in given.questions]
    assert judged(given, right) == {"ok": 4, "empty": 0, "lost": 0}
    assert judged(given, [right[1], " ", None]) == {"ok": 0, "empty": 1, "lost": 3}


def test_who_is_fast_because_it_lost_rows_is_not_the_best() -> None:
    report = markdown(told(row("ours", 1.2), row("careless", 1.1, lost=3), row("slow", 2.0)))
    assert "**1.20**" in report
    assert "| 1.10 (3 of 100 lost) |" in report


def test_the_report_says_where_the_engine_is_not_ahead_and_what_failed() -> None:
    broken = row("broken", 1.0) | {"results": {"cold_256": {"failed": "not done in 60 s"}}}
    report = markdown(told(row("ours", 1.2), row("fast", 1.1), broken))
    assert f"{COLUMNS[0].scenario}, {COLUMNS[0].title}: 1.20, fast 1.10" in report
    assert "- broken, cold_256: not done in 60 s" in report


def test_our_client_keeps_its_answers_and_takes_up_where_it_was_killed(tmp_path: Path) -> None:
    client = Client(OURS, Path(sys.executable), limit=60)
    with serving(latency=0.01) as server:
        first, again = (client.run(server, 40, 8, tmp_path / "calls") for _ in range(2))
    assert (first["ok"], first["calls"], again["ok"], again["calls"]) == (40, 40, 40, 0)
    result = killed(client, 400, tmp_path / "killed")
    assert result["ok"] == 400
    assert all(paid < result["killed_at"] for paid in result["paid_twice"])


def test_a_client_that_is_not_done_in_time_failed_with_what_it_got(tmp_path: Path) -> None:
    with serving(latency=30) as server, pytest.raises(Failed, match="not done in 2 s"):
        Client(OURS, Path(sys.executable), limit=2).run(server, 4, 4, tmp_path / "calls")
