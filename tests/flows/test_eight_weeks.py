"""A fortieth of eight weeks of real logs: week by week, in one go, and killed (`make weeks` takes all of them)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from benchmarks.eight_weeks import SHARED, broken
from tests.flows.conftest import Done


@pytest.mark.long
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real logs are not part of the repository")
def test_eight_weeks_come_to_the_same_in_one_go_and_killed(flywheel: Callable[..., Done], tmp_path: Path) -> None:
    def run(arguments: Sequence[str]) -> CompletedProcess[str]:
        done = flywheel(*arguments, OPENAI_API_KEY="loopback")
        return CompletedProcess(arguments, done.code, done.out, done.err)

    assert broken(tmp_path, 40, 1, random.Random(0), run) == []
