"""One client on one server, each in a process of its own; what came of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from benchmarks.engine.peers import PROJECT, Peer, last_line, variables

MEAN = 0.3
POLL = 0.02
DIRECT = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class Server:
    """A server under way."""

    url: str

    def counted(self) -> dict[str, Any]:
        """How many `calls` came in, how many answers were `paid` for and `paid_twice`, the `most_in_flight`, and the
        seconds of `cpu` that the server used."""
        with DIRECT.open(f"{self.url}/counted", timeout=10) as response:
            return json.load(response)


class Failed(Exception):
    """A client gave no result; the message says why."""


@contextmanager
def serving(faults: float = 0.0, latency: float = MEAN) -> Iterator[Server]:
    """A fresh server that has counted nothing."""
    command = [sys.executable, "-m", "benchmarks.engine.server", f"--latency={latency}", f"--faults={faults}"]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield Server(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class Client:
    """A peer with its Python and the seconds that it gets for one run."""

    peer: Peer
    python: Path
    limit: float

    def run(self, server: Server, calls: int, in_flight: int, cache: Path) -> dict[str, Any]:
        """What it measured of itself, with the calls that the server counted meanwhile. Raises Failed."""
        before = server.counted()["calls"]
        process = self.started(server, calls, in_flight, cache)
        try:
            said, _ = process.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired as late:
            done = server.counted()["calls"] - before
            raise Failed(f"not done in {self.limit:.0f} s, after {done} calls for {calls} rows") from late
        finally:
            ended(process)
        result = next((line for line in reversed(said.splitlines()) if line.startswith('{"wall"')), None)
        if process.returncode or result is None:
            raise Failed(last_line(self.peer.log.read_text(errors="replace")))
        return json.loads(result) | {"rows": calls, "calls": server.counted()["calls"] - before}

    def killed(self, server: Server, calls: int, in_flight: int, cache: Path) -> int:
        """Kill it with all its children once it has got half of its answers; how many that were. Raises Failed."""
        process = self.started(server, calls, in_flight, cache)
        until = time.monotonic() + self.limit
        try:
            while (paid := server.counted()["paid"]) < calls // 2:
                if process.poll() is not None or time.monotonic() > until:
                    raise Failed(f"it got {paid} of {calls // 2} answers before it was to be killed")
                time.sleep(POLL)
        finally:
            ended(process)
        return paid

    def started(self, server: Server, calls: int, in_flight: int, cache: Path) -> subprocess.Popen[str]:
        told = {"url": server.url, "calls": calls, "in-flight": in_flight, "cache": cache}
        command = [self.python, self.peer.file, *(f"--{k}={v}" for k, v in told.items())]
        more = {"HF_HOME": str(cache / "hf")} if self.peer.requires else {"PYTHONPATH": str(PROJECT)}
        self.peer.log.parent.mkdir(exist_ok=True)
        with self.peer.log.open("w") as log:
            return subprocess.Popen(
                command,
                cwd=cache.parent,
                env=variables(more),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )


def ended(process: subprocess.Popen[str]) -> None:
    """Kill whatever is left of a client, its children with it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
