"""A real Prefect server for the whole session, and `flywheel` as a user calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from flows.commands import main; main()"]


@dataclass
class Done:
    """A finished command: exit code, stdout, stderr, and the JSON of its last line."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out.strip().splitlines()[-1])


@pytest.fixture(scope="session", autouse=True)
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for the session; every command and flow of these tests registers there."""
    os.environ["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    os.environ.pop("PREFECT_API_URL", None)
    from flows.embedded import prefect_server

    with prefect_server() as url:
        yield url


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key of the machine's own reaches a test."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture
def flywheel(tmp_path: Path) -> Callable[..., Done]:
    """Run the command in a process of its own, in an empty folder."""

    def call(*arguments: str, **env: str) -> Done:
        surroundings = os.environ | {"PYTHONPATH": str(PROJECT)} | env
        done = subprocess.run(
            [*COMMAND, *arguments], capture_output=True, text=True, env=surroundings, cwd=tmp_path, timeout=240
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return call
