"""A real Prefect server for the whole session, and `flywheel` as a user calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from tests.flows.forked import PATIENCE, Done, Running, begin, warm

PROJECT = Path(__file__).resolve().parents[2]
STARTING = (  # Ctrl-C ends it also where the tests run in the background, as `nohup … &` has it ignored
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from flows.commands import main; main()"
)
SAMPLES = str(PROJECT / "deployments" / "recipes" / "samples.yaml")
COMMAND = [sys.executable, "-c", STARTING]


@pytest.fixture(scope="session", autouse=True)
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for the session; every command and flow of these tests registers there."""
    os.environ["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    os.environ.pop("PREFECT_API_URL", None)
    from flows.embedded import prefect_server

    with prefect_server() as url:
        from prefect.context import refresh_global_settings_context

        refresh_global_settings_context()  # tests that import Prefect are collected first, and it would start a server
        yield url


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key of the machine's own reaches a test."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture(scope="session")
def context(prefect: str) -> ForkServerContext:
    """What commands are forked from: it imports Prefect, and with it where the session's server is."""
    return warm()


@pytest.fixture
def begun(
    context: ForkServerContext, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Running]:
    """Begin the command in a process of its own, in an empty folder."""

    def call(*arguments: str, **env: str) -> Running:
        return begin(context, arguments, env, tmp_path, tmp_path_factory.mktemp("said"))

    return call


@pytest.fixture
def flywheel(begun: Callable[..., Running]) -> Callable[..., Done]:
    """Run the command to its end in a process of its own, in an empty folder."""
    return lambda *arguments, **env: begun(*arguments, **env).done()


@pytest.fixture(scope="session")
def samples(context: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The project's samples as they are published, in a lake that nobody writes to."""
    at = tmp_path_factory.mktemp("samples")
    command = ("refresh", "--recipe", SAMPLES, "--out", str(at / "lake"), "--json")
    done = begin(context, command, {}, at, at).done()
    assert done.code == 0, done.err
    return done


@pytest.fixture
def afresh(tmp_path: Path) -> Callable[..., Done]:
    """Run the command as `flywheel` does, by an interpreter of its own: its hash seed, imports and settings."""

    def call(*arguments: str, **env: str) -> Done:
        surroundings = os.environ | {"PYTHONPATH": str(PROJECT)} | env
        done = subprocess.run(
            [*COMMAND, *arguments], capture_output=True, text=True, env=surroundings, cwd=tmp_path, timeout=PATIENCE
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return call
