"""A fortieth of eight weeks of real logs: week by week, in one go, and killed (`make weeks` takes all of them)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.eight_weeks import SHARED
from tests.flows.conftest import PROJECT


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real logs are not part of the repository")
def test_eight_weeks_come_to_the_same_in_one_go_and_killed() -> None:
    command = [sys.executable, "-m", "benchmarks.eight_weeks", "--every", "40", "--kills", "1"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all of it holds" in done.stdout
