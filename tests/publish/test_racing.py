"""Eight publishers at once, and a disk that fills: real processes, and what they leave on a real disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.history.dataset import Dataset
from tasks.publish.verify import verify
from tests.commands.test_versions import FIRST, turn

PROJECT = Path(__file__).resolve().parents[2]
PUBLISH = """
import resource, signal, sys
from pathlib import Path
from tasks.history.dataset import Busy, Dataset
from tests.commands.test_versions import FIRST, SECOND, turn

made, limit = Dataset(Path(sys.argv[1])), int(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
print("ready", flush=True)
sys.stdin.readline()
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with made.held():
        if made.base != sys.argv[3]:
            turn(made, SECOND if made.base else FIRST)
            print("published", flush=True)
        else:
            print("there already", flush=True)
except Busy:
    print("busy", flush=True)
except OSError as fault:
    print(f"full {fault.errno}", flush=True)
"""


def publisher(folder: Path, limit: int = 0, until: str = "") -> subprocess.Popen[str]:
    """A process that waits for a line, then publishes the next version, and says how it went. `limit` is the most bytes
    that it can write into one file, as on a disk that is full; `until` a version that must not be gone beyond."""
    pipe, env = subprocess.PIPE, os.environ | {"PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", PUBLISH, str(folder), str(limit), until]
    return subprocess.Popen(command, cwd=PROJECT, env=env, stdin=pipe, stdout=pipe, text=True)


def went(run: subprocess.Popen[str]) -> str:
    said, _ = run.communicate("\n", timeout=120)
    assert run.returncode == 0
    return said.splitlines()[-1]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a dataset but its lock, hidden ones too."""
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}
    return {n: p.read_bytes() for n, p in files.items()}


def publish(folder: Path) -> None:
    """The first version, published by this process."""
    made = Dataset(folder)
    with made.held():
        turn(made, FIRST)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one publisher leaves that nobody disturbs."""
    folder = tmp_path_factory.mktemp("alone") / "mine"
    publish(folder)
    return tree(folder)


def test_of_eight_racing_publishers_one_wins_and_the_others_leave_nothing(tmp_path: Path, alone: dict[str, bytes]):
    folder = tmp_path / "mine"
    runs = [publisher(folder, until="1.0.0") for _ in range(8)]
    for run in runs:
        assert run.stdout
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        assert run.stdin
        run.stdin.write("\n")
        run.stdin.flush()
    ends = [run.communicate(timeout=120)[0].strip() for run in runs]
    assert ends.count("published") == 1
    assert set(ends) <= {"published", "busy", "there already"}
    assert tree(folder) == alone
    assert verify(Dataset(folder)).findings == []


@pytest.mark.parametrize("limit", [200, 2000, 6000, 9000])
def test_a_disk_that_fills_leaves_nothing_half_published_and_the_next_run_gives_the_same_bytes(
    tmp_path: Path, alone: dict[str, bytes], limit: int
):
    folder = tmp_path / "mine"
    assert went(publisher(folder, limit)) == "full 27"
    made = Dataset(folder)
    assert (made.latest, made.entries, [*made.versions.glob("[0-9]*")]) == (None, [], [])
    publish(folder)
    assert tree(folder) == alone


def test_a_disk_that_fills_leaves_the_version_in_force_as_it_is(tmp_path: Path, alone: dict[str, bytes]):
    folder = tmp_path / "mine"
    publish(folder)
    before = {n: b for n, b in tree(folder).items() if not n.startswith("work/")}
    assert went(publisher(folder, 6000)) == "full 27"
    assert {n: b for n, b in tree(folder).items() if not n.startswith("work/")} == before
    assert before == {n: b for n, b in alone.items() if not n.startswith("work/")}
    assert verify(Dataset(folder)).findings == []
