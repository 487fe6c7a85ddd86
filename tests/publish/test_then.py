"""A command after a publication: a real process, told where the version is, that may name its student."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from tasks.history.student import NoStudent, Student, keep, named, student_of
from tasks.publish.then import Unfollowed, filled, run

FACTS = {"path": "/lake/mine/versions/1.2.0", "version": "1.2.0", "dataset": "mine"}
STUDENT = {"base_url": "http://127.0.0.1:8000/v1", "model": "student-7b"}


def python(script: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", f"import json, os, sys\n{script}", *arguments]


def test_only_the_three_places_of_a_command_are_filled():
    given = ["train", "--data={path}/data", "{version}", "{dataset}", '{"a": {}}', "{path!r}", "$HOME; rm -rf {path}"]
    at = FACTS["path"]
    assert filled(given, FACTS) == [
        "train",
        f"--data={at}/data",
        "1.2.0",
        "mine",
        '{"a": {}}',
        "{path!r}",
        f"$HOME; rm -rf {at}",
    ]


async def test_a_command_gets_the_version_as_arguments_and_in_its_surroundings(tmp_path: Path):
    script = "print(sys.argv[1:], [os.environ[k] for k in ('FLYWHEEL_VERSION', 'FLYWHEEL_PATH', 'FLYWHEEL_DATASET')])"
    assert await run(python(script, "{path}", "{version}"), FACTS, tmp_path / "then.log") is None
    said = (tmp_path / "then.log").read_text()
    assert said == f"{[FACTS['path'], '1.2.0']} {['1.2.0', FACTS['path'], 'mine']}\n"


async def test_a_student_is_the_last_line_that_was_printed(tmp_path: Path):
    script = f"print('x' * 99_999); print('训练完成', file=sys.stderr); print({json.dumps(STUDENT)!r})"
    assert await run(python(script), FACTS, tmp_path / "then.log") == Student.model_validate(STUDENT)


async def test_a_student_is_what_stands_in_the_file_and_not_what_was_printed(tmp_path: Path):
    script = f"open(os.environ['FLYWHEEL_STUDENT'], 'w').write({json.dumps(STUDENT)!r})"
    script += '; print(\'{"base_url": "http://other", "model": "other"}\')'
    student = await run(python(script), FACTS, tmp_path / "then.log")
    assert (student and student.model) == "student-7b"


@pytest.mark.parametrize("said", ["", "done", "{}", '{"loss": 0.5}', "{'base_url': unquoted"])
async def test_a_command_that_names_no_student_has_none(tmp_path: Path, said: str):
    assert await run(python("print(sys.argv[1])", said), FACTS, tmp_path / "then.log") is None


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (python("sys.exit(3)"), "ended with 3; its output is in "),
        (["/no/such/train.sh"], "/no/such/train.sh cannot be started: No such file or directory"),
        (["/"], "cannot be started: Permission denied"),
    ],
)
async def test_a_command_that_fails_is_said_in_a_sentence(tmp_path: Path, command: list[str], said: str):
    with pytest.raises(Unfollowed) as caught:
        await run(command, FACTS, tmp_path / "then.log")
    assert said in str(caught.value)


async def test_an_interrupted_run_ends_its_command(tmp_path: Path):
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    script = f"out = open({str(fifo)!r}, 'w'); out.write('here\\n'); out.flush(); sys.stdin.close(); import signal\n"
    task = asyncio.create_task(run(python(script + "signal.pause()"), FACTS, tmp_path / "then.log"))
    reader = await asyncio.to_thread(fifo.open)
    assert await asyncio.to_thread(reader.readline) == "here\n"
    task.cancel()
    assert await asyncio.to_thread(reader.read) == ""  # comes once nobody has the other end open any more
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        "null",
        '{"model": "m"}',
        '{"base_url": "http://x"}',
        '{"base_url": "http://x", "model": ""}',
        '{"base_url": "file:///etc/passwd", "model": "m"}',
        '{"base_url": "http://user:sk-secret@x/v1", "model": "m"}',
    ],
)
def test_what_is_no_student_is_refused_without_being_repeated(text: str):
    with pytest.raises(NoStudent) as caught:
        named(text)
    assert "sk-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_version_has_the_student_that_was_trained_on_it(tmp_path: Path):
    keep(tmp_path, "1.2.0", Student.model_validate(STUDENT | {"trained": "today"}))
    assert student_of(tmp_path, "1.2.0") == Student.model_validate(STUDENT)
    assert student_of(tmp_path, "1.1.0") is None
