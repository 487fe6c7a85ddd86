"""Gates in the real flow: what blocks, what is told of it and to whom, and how the next run goes on."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.flows.conftest import Done, Running
from tests.flows.teachers import good, teacher
from tests.flows.test_refresh import QUESTIONS, files, logs, own

Flywheel = Callable[..., Done]
STRICT = """
rules:
  - name: long_answers
    severity: critical
    expect: ExpectColumnMinToBeBetween
    with: {column: response_units, min_value: 500}
  - name: english_only
    severity: critical
    expect: ExpectColumnValuesToBeInSet
    with: {column: language, value_set: [en]}
  - {name: has_rows, severity: critical, expect: ExpectTableRowCountToBeBetween, with: {min_value: 1}}
"""
LISTENER = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + chr(10))"


def listening(heard: Path) -> list[str]:
    """A hook that writes down what it is told."""
    return ["--set", f"notify.command={json.dumps([sys.executable, '-c', LISTENER, str(heard)])}"]


def told(heard: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in heard.read_text("utf-8").splitlines()] if heard.exists() else []


@contextmanager
def webhook(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that takes what is posted to it, and answers `status`."""
    heard: list[dict[str, Any]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/hook/t0ken-of-the-hook", heard
        server.shutdown()


def test_a_blocked_run_keeps_its_findings_tells_of_them_and_goes_on_for_nothing(
    flywheel: Flywheel, tmp_path: Path
) -> None:
    source, lake, heard = logs(tmp_path / "logs.jsonl"), tmp_path / "lake", tmp_path / "heard"
    (tmp_path / "strict.yaml").write_text(STRICT, "utf-8")
    strict = ["--set", f"gates.suite={tmp_path / 'strict.yaml'}", *listening(heard)]
    at = ["--out", str(lake), "--name", "weekly"]
    with teacher(good) as fine:
        first = flywheel(*own(source, lake, fine.url, *strict), OPENAI_API_KEY="k")
        assert first.code == 3, first.err
        paid = len(fine.asked)
        assert [g["rule"] for g in first.json["gates"]] == ["long_answers", "english_only"]

        shown = flywheel("gates", *at, "--json")
        assert shown.code == 0
        assert (shown.json["status"], shown.json["increment"], shown.json["version"]) == ("blocked", 1, None)
        by_rule = {g["rule"]: g for g in shown.json["gates"]}
        assert by_rule["long_answers"]["observed"].endswith("short)")
        assert by_rule["english_only"]["observed"] == "5 of 10 rows (50.0%) break it: zh"
        assert len(by_rule["english_only"]["rows"]) == 3
        assert by_rule["has_rows"]["passed"]
        page = flywheel("gates", *at).out
        assert "✗  long_answers" in page
        assert by_rule["english_only"]["rows"][0] in page

        (said,) = told(heard)
        assert (said["status"], said["dataset"], said["version"]) == ("blocked", "weekly", None)
        assert [g["rule"] for g in said["gates"]] == ["long_answers", "english_only"]
        assert said["ledger"] == {"pending": 10}
        kept = heard.read_text("utf-8")
        assert not any(q in kept for q in QUESTIONS)
        assert "under the number" not in kept  # as the teacher answers

        after = flywheel(*own(source, lake, fine.url, *listening(heard)), OPENAI_API_KEY="k")
        assert after.code == 0, after.err
        assert (after.json["teacher"]["calls"], len(fine.asked)) == (0, paid)
        assert after.json["ledger"] == {"published": 10, "seen": 10}
        assert len(told(heard)) == 1  # nobody asked to be told of what went well
        now = flywheel("gates", "1.0.0", *at, "--json").json
        assert (now["status"], now["version"]) == ("published", "1.0.0")
        assert all(g["passed"] is not False for g in now["gates"])
        assert flywheel("gates", *at, "--json").json["gates"] == now["gates"]


def test_findings_do_not_depend_on_the_day(flywheel: Flywheel, afresh: Flywheel, tmp_path: Path) -> None:
    source = logs(tmp_path / "logs.jsonl")
    (tmp_path / "strict.yaml").write_text(STRICT, "utf-8")
    with teacher(good) as fine:
        for lake, call in (("a", flywheel), ("b", afresh)):
            told_ = own(source, tmp_path / lake, fine.url, "--set", f"gates.suite={tmp_path / 'strict.yaml'}")
            assert call(*told_, OPENAI_API_KEY="k").code == 3
    assert files(tmp_path / "a" / "weekly" / "increments") == files(tmp_path / "b" / "weekly" / "increments")


@pytest.mark.parametrize("status", [200, 500, 302])
def test_a_webhook_gets_the_figures_and_its_failure_is_a_warning(
    flywheel: Flywheel, tmp_path: Path, status: int
) -> None:
    source, lake = logs(tmp_path / "logs.jsonl", QUESTIONS[:2]), tmp_path / "lake"
    on = ["--set", "notify.webhook_env=HOOK", "--set", "notify.when=[published]"]
    with teacher(good) as fine, webhook(status) as (url, heard):
        done = flywheel(*own(source, lake, fine.url, *on), OPENAI_API_KEY="k", HOOK=url)
    assert (done.code, done.json["status"]) == (0, "published")
    assert [(h["status"], h["version"], h["rows_new"]) for h in heard] == [("published", "1.0.0", 2)]
    assert done.json["warnings"] == ([] if status == 200 else [f"notify.webhook answered {status}"])
    assert "t0ken-of-the-hook" not in done.out + done.err
    for folder in (lake, Path(os.environ["PREFECT_HOME"])):
        assert all(b"t0ken-of-the-hook" not in held for held in files(folder).values())


def test_a_run_that_dies_is_told_of_without_a_word_of_its_rows(flywheel: Flywheel, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    (tmp_path / "bad.jsonl").write_text("what stands here is no JSON\n" * 40)
    with teacher(good) as fine:
        done = flywheel(
            *own(str(tmp_path / "bad.jsonl"), tmp_path / "lake", fine.url, *listening(heard)), OPENAI_API_KEY="k"
        )
    assert done.code == 2
    (said,) = told(heard)
    assert said["status"] == "error"
    assert "40 of 40 new lines cannot be read" in said["what"]
    assert "no JSON" not in heard.read_text()


def test_a_run_that_is_interrupted_is_told_of(begun: Callable[..., Running], tmp_path: Path) -> None:
    source, heard = logs(tmp_path / "logs.jsonl"), tmp_path / "heard"
    with teacher(good) as fine:
        run = begun(*own(source, tmp_path / "lake", fine.url, *listening(heard)), OPENAI_API_KEY="k")
        stands = tmp_path / "lake" / "weekly" / "work" / "written"
        while run.going() and not stands.exists():
            time.sleep(0.01)
        run.send(signal.SIGINT)
        done = run.done()
    assert done.code == 130, done.err
    assert [(said["status"], said["what"]) for said in told(heard)] == [("error", "interrupted")]


def test_rows_that_the_student_cannot_take_are_dropped_and_counted(flywheel: Flywheel, tmp_path: Path) -> None:
    from tests.gate.test_student import CHATML, tokenizer

    file = tokenizer(tmp_path / "student")
    file.with_name("chat_template.jinja").write_text(CHATML, "utf-8")
    source, lake = logs(tmp_path / "logs.jsonl", (*QUESTIONS[:2], "Why is it so? " * 80)), tmp_path / "lake"
    student = ["--set", f"student.tokenizer={file}", "--set", "student.max_sequence=600"]
    with teacher(good) as fine:
        done = flywheel(*own(source, lake, fine.url, *student), OPENAI_API_KEY="k")
    assert done.code == 0, done.err
    assert done.json["ledger"] == {"gated:too_long_for_student": 1, "published": 2}
    found = {g["rule"]: g for g in flywheel("gates", "--out", str(lake), "--name", "weekly", "--json").json["gates"]}
    assert found["fits_student"]["passed"]
    assert found["renders_for_student"]["passed"]


def test_a_student_whose_files_are_not_there_stops_before_anything_is_asked(flywheel: Flywheel, tmp_path: Path) -> None:
    source = logs(tmp_path / "logs.jsonl", QUESTIONS[:2])
    with teacher(good) as fine:
        told_ = own(source, tmp_path / "lake", fine.url, "--set", "student.tokenizer=none/tokenizer.json")
        done = flywheel(*told_, OPENAI_API_KEY="k")
    assert (done.code, done.json["error"]["where"], fine.asked) == (2, "student.tokenizer", [])
