"""A disk that fills under a run, as a user sees it: the command, its sentence, and the run after."""

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.flows.conftest import COMMAND, PROJECT, Done
from tests.flows.test_following import recipe

Flywheel = Callable[..., Done]
LIMIT = 30_000  # bytes: less than the answered rows need


def tight() -> None:
    """No file of this process grows beyond the limit: a write gives EFBIG, as one on a full disk gives ENOSPC."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))


def published(lake: Path) -> dict[str, bytes]:
    parts = ("versions", "increments")
    files = [p for part in parts for p in (lake / "samples" / part).rglob("*") if p.is_file()]
    return {p.relative_to(lake).as_posix(): p.read_bytes() for p in files}


def test_a_full_disk_stops_the_run_with_a_sentence_and_the_next_run_gives_the_same_bytes(
    flywheel: Flywheel, afresh: Flywheel, tmp_path: Path
) -> None:
    alone, lake = tmp_path / "alone", tmp_path / "lake"
    there = ("refresh", "--json", "--recipe", recipe(tmp_path, None), "--out")
    assert afresh(*there, str(alone)).code == 0
    (lake / "samples").mkdir(parents=True)
    shutil.copy(alone / "samples" / "calls.sqlite", lake / "samples")  # one call more would not fit into it
    env = os.environ | {"PYTHONPATH": str(PROJECT)}
    command = [*COMMAND, *there, str(lake)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, preexec_fn=tight, timeout=240)
    assert done.returncode == 2
    assert f"no space is left for {lake / 'samples'}; nothing was published" in done.stderr
    assert "Traceback" not in done.stderr
    assert published(lake) == {}
    assert flywheel(*there, str(lake)).code == 0
    assert published(lake) == published(alone)
