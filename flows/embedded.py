"""A Prefect server of our own on a free loopback port, for as long as a command runs.

It runs in a process of its own and ends with its parent, however the parent ends. (Prefect's own ephemeral
server outlives a parent that is killed.)
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from flows.tied import on_parents_end, tied
from tasks.recipe import PROJECT

PATIENCE = 120
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "GX_ANALYTICS_ENABLED": "false",
}
HEARTBEAT = "30"  # seconds, Prefect's least; see flows/deployed.py for who listens


class NoServer(RuntimeError):
    """The Prefect server did not come up, or did not take what it was given."""


@dataclass(frozen=True)
class Server:
    """A server of our own: its address, and its process."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def api(self) -> str:
        return f"{self.url}/api"


@contextmanager
def prefect_server() -> Iterator[str]:
    """The API's address, in PREFECT_API_URL too: the one that is set, or one that this starts.

    Call it before Prefect is imported. Raises NoServer.
    """
    home()
    if url := os.environ.get("PREFECT_API_URL"):
        yield url
        return
    with server(free_port()) as own:
        yield own.api


def home() -> Path:
    """Where Prefect keeps its state, in PREFECT_HOME too. Telemetry is off from here on, and runs show they live."""
    for name, value in {**QUIET, "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": HEARTBEAT}.items():
        os.environ.setdefault(name, value)
    folder = Path(os.environ.setdefault("PREFECT_HOME", str(PROJECT / "data" / "lake" / ".prefect")))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def server(port: int, ui: bool = False) -> Iterator[Server]:
    """A server at that port, its address in PREFECT_API_URL. Raises NoServer."""
    url = f"http://127.0.0.1:{port}"
    log = home() / ("ui.log" if ui else "server.log")
    told: dict[str, str] = {"PREFECT_SERVER_UI_ENABLED": str(ui).lower(), "PREFECT_UI_API_URL": f"{url}/api"}
    with tied("flows.embedded", [str(port)], log, env=told) as process:
        answering(f"{url}/api", process, log)
        os.environ["PREFECT_API_URL"] = f"{url}/api"
        try:
            yield Server(url, process)
        finally:
            os.environ.pop("PREFECT_API_URL", None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answering(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the server answers."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            with urlopen(f"{url}/health", timeout=5):  # noqa: S310  our own address
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise NoServer(f"the Prefect server did not start; see {log}")


def serve(port: int) -> None:
    """The server's process: runs until the pipe on stdin closes."""
    import uvicorn

    on_parents_end(lambda: os._exit(0))
    uvicorn.run(
        "prefect.server.api.server:create_app",
        factory=True,
        host="127.0.0.1",
        port=port,
        log_level="error",
        lifespan="on",
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]))
