"""Processes that want one dataset: real ones, as the lock goes with the process."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tasks.history.dataset import Busy, Dataset
from tasks.history.lock import busy

PROJECT = Path(__file__).resolve().parents[2]
RUN = """
import sys
from pathlib import Path
from tasks.history.dataset import Busy, Dataset

dataset = Dataset(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
try:
    with dataset.held():
        print("held", flush=True)
        sys.stdin.readline()
except Busy as fault:
    print("busy", flush=True)
"""


@contextmanager
def process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that waits for a line, tries to hold the dataset, says how it went, and holds on until another line."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder)], cwd=PROJECT, stdin=pipe, stdout=pipe, text=True
    ) as run:
        try:
            assert run.stdout
            assert run.stdout.readline() == "ready\n"
            yield run
        finally:
            run.kill()


def say(run: subprocess.Popen[str]) -> None:
    assert run.stdin
    run.stdin.write("\n")
    run.stdin.flush()


def heard(run: subprocess.Popen[str]) -> str:
    assert run.stdout
    return run.stdout.readline().strip()


def test_of_processes_that_race_one_holds_the_dataset_until_it_is_killed(tmp_path: Path):
    with ExitStack() as stack:
        runs = [stack.enter_context(process(tmp_path / "mine")) for _ in range(3)]
        for run in runs:
            say(run)
        said = [heard(run) for run in runs]
        assert sorted(said) == ["busy", "busy", "held"]
        assert busy(tmp_path / "mine")
        with pytest.raises(Busy), Dataset(tmp_path / "mine").held():
            pass
        holder = runs[said.index("held")]
        holder.kill()
        holder.wait()
        assert not busy(tmp_path / "mine")
        with Dataset(tmp_path / "mine").held():
            assert busy(tmp_path / "mine")


def test_a_dataset_that_does_not_exist_is_not_busy_and_is_not_made(tmp_path: Path):
    assert not busy(tmp_path / "none")
    assert not (tmp_path / "none").exists()
