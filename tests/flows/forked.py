"""The `flywheel` command in a process forked from one that has imported what commands import (`standing.py`).

A command imports for five seconds and works for one or two; here a whole session imports once. The process is the
command's own in all that it does: environment, folder, output, signals, exit code. It shares with the session's other
commands the order of imports, Prefect's settings and the hash seed; what depends on these is called `afresh`
(`conftest.py`).
"""

from __future__ import annotations

import atexit
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from flows.commands import main

PATIENCE = 240  # seconds


@dataclass
class Done:
    """A finished command: exit code, stdout, stderr, and the JSON of its last line."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out.strip().splitlines()[-1])


@dataclass(frozen=True)
class Running:
    """A command at work, and the folder with what it says."""

    process: ForkServerProcess
    said: Path

    def send(self, sign: int) -> None:
        """Send it a signal; what has ended gets none."""
        if self.going() and self.process.pid:
            os.kill(self.process.pid, sign)

    def going(self) -> bool:
        return self.process.is_alive()

    def done(self) -> Done:
        """Once it has ended. Raises TimeoutError, and kills it, where it does not."""
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()
            raise TimeoutError(f"a command still runs after {PATIENCE} s: {(self.said / 'err').read_text()}")
        return Done(self.process.exitcode, *((self.said / name).read_text("utf-8") for name in ("out", "err")))


def warm() -> ForkServerContext:
    """Have the process that the commands are forked from, with the environment as it is now."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.flows.standing"])
    forkserver.ensure_running()
    return context


def begin(
    context: ForkServerContext, arguments: Sequence[str], env: Mapping[str, str], at: Path, said: Path
) -> Running:
    """`flywheel arguments` in that folder, with what it says in `said`."""
    assert not [name for name in env if name.startswith("PREFECT")], "read when Prefect is imported: call it afresh"
    process = context.Process(target=become, args=(arguments, os.environ | env, at, said))
    process.start()
    return Running(process, said)


def become(arguments: Sequence[str], env: Mapping[str, str], at: Path, said: Path) -> None:
    """In the forked process: be `flywheel arguments` until it ends."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(at)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    for stream, name in ((sys.stdout, "out"), (sys.stderr, "err")):
        file = os.open(said / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, stream.fileno())
        os.close(file)
    sys.argv = ["flywheel", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # a process of multiprocessing ends without them
