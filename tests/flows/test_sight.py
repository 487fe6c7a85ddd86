"""What a user sees of a run while it goes on: on a real terminal, and in a pipe."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import re
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults import Call, Fault, FaultsServer, rate_limited, refused
from tests.flows.conftest import COMMAND, PROJECT, Done
from tests.flows.teachers import Taught, good, teacher
from tests.flows.test_refresh import logs, own

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
PACED = ("--set", "teacher.max_in_flight=2", "--set", "teacher.price.input=10", "--set", "teacher.price.output=30")


def text(body: dict[str, Any]) -> str:
    said = good(body).text  # type: ignore[attr-defined]
    return json.loads(said)["choices"][0]["message"]["content"]


def slow(script: Callable[[Call], Fault | None] = lambda call: None) -> Callable[..., FaultsServer]:
    return lambda *_: FaultsServer(answer=text, script=script, latency=0.5, model="canned")


def away(call: Call) -> Fault | None:
    """Turned away once, and later out for long enough that the circuit opens."""
    if call.number == 2:
        return rate_limited(ms=50)
    return refused(503) if 4 <= call.number < 18 else None


@dataclass
class Seen:
    """A command on a terminal: everything that the terminal got, what went to stdout where that is a pipe, the code."""

    raw: str
    out: str = ""
    code: int = 0

    @property
    def text(self) -> str:
        return CODES.sub("", self.raw)


@contextmanager
def terminal(folder: Path, *arguments: str, **env: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`flywheel` with a terminal of its own at stdin and stderr; gives the process and the terminal's other end."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (40, 150))
    surroundings = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR")}
    surroundings |= {"PYTHONPATH": str(PROJECT), "TERM": "xterm-256color", "OPENAI_API_KEY": "k"} | env
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=folder,
        env=surroundings,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def watched(process: subprocess.Popen[bytes], ours: int, at: str = "", then: bytes = b"") -> Seen:
    """Everything until the command ends; once it shows `at`, `then` is typed."""
    raw = b""
    while True:
        try:
            raw += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if then and at in CODES.sub("", raw.decode("utf-8", "replace")):
            os.write(ours, then)
            then = b""
    out = process.communicate()[0].decode()
    return Seen(raw.decode(), out, process.returncode)


def told(tmp_path: Path, fine: Taught) -> list[str]:
    return own(logs(tmp_path / "logs.jsonl"), tmp_path / "lake", fine.url, *PACED)


def test_a_terminal_shows_what_the_teacher_does_counts_down_an_outage_and_keeps_finished_stages(tmp_path: Path) -> None:
    with teacher(good, slow(away)) as fine, terminal(tmp_path, *told(tmp_path, fine)) as (process, ours):
        seen = watched(process, ours)
    assert seen.code == 0, seen.text
    assert re.search(r"\d+ of 10 rows, \d+ %", seen.text)
    assert re.search(r"[\d.]+ calls/s, [12] in flight of [12]", seen.text)
    assert "1 turned away (429), 0 % from the store" in seen.text
    assert re.search(r"[\d,]+ tokens in, [\d,]+ out, USD 0\.\d{4} of about 0\.\d{4}", seen.text)
    assert re.search(r"\d+ s left", seen.text)
    counted = [int(n) for n in re.findall(r"canned is out: next probe in (\d+) s", seen.text)]
    assert len(counted) >= 2
    assert any(before > after for before, after in itertools.pairwise(counted))  # a number may be drawn twice

    assert json.loads(seen.out)["status"] == "published"
    assert seen.raw.count(HIDE) == seen.raw.count(SHOW) >= 2  # some stages overlap
    assert "in flight" not in seen.raw.rpartition(SHOW)[2]
    stages = [line.split()[0] for line in seen.text.splitlines() if re.match(r"\w+ +\d+ in, \d+ out", line)]
    assert stages == [
        "clean",
        "scrub",
        "mine",
        "repeats",
        "prompts",
        "label",
        "distill",
        "judge",
        "gate",
        "answers",
        "sides",
    ]


def test_ctrl_c_leaves_the_terminal_whole(tmp_path: Path) -> None:
    with teacher(good, slow()) as fine, terminal(tmp_path, *told(tmp_path, fine)) as (process, ours):
        seen = watched(process, ours, at="in flight", then=b"\x03")
    assert seen.code == 130, seen.text
    assert seen.raw.count(HIDE) == seen.raw.count(SHOW) > 0
    assert "in flight" not in seen.raw.rpartition(SHOW)[2]
    assert "interrupted" in seen.text.splitlines()[-1]
    assert json.loads(seen.out)["error"]["what"] == "interrupted"


def test_a_pipe_gets_plain_lines_even_where_colours_are_forced(flywheel: Callable[..., Done], tmp_path: Path) -> None:
    with teacher(good, slow(away)) as fine:
        done = flywheel(*told(tmp_path, fine), OPENAI_API_KEY="k", FORCE_COLOR="1", TERM="xterm-256color")
    assert done.code == 0, done.err
    assert json.loads(done.out)["status"] == "published"
    assert "\x1b" not in done.out + done.err
    assert "\r" not in done.out + done.err
    passing = [line for line in done.err.splitlines() if " of 10 rows, " in line]
    assert 1 <= len(passing) <= 3  # about one in ten seconds


@pytest.mark.parametrize(("cap", "code"), [((), 0), (("--set", "budget.calls=4"), 4)], ids=["published", "at a cap"])
def test_a_model_that_answers_in_the_place_of_the_one_asked_is_named_in_the_report(
    flywheel: Callable[..., Done], tmp_path: Path, cap: tuple[str, ...], code: int
) -> None:
    with teacher(good, lambda *_: FaultsServer(answer=text, model="smaller\n\x1b[31m小")) as fine:
        done = flywheel(*told(tmp_path, fine), *cap, OPENAI_API_KEY="k")
    assert done.code == code, done.err
    (warning,) = done.json["warnings"]
    assert re.fullmatch(rf"canned at {re.escape(fine.url)} answered as smaller\[31m小", warning)
