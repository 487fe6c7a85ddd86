"""A Prefect server for as long as a command runs, where PREFECT_API_URL names none.

It runs in a process of its own on a free loopback port and ends with its parent, however the parent ends: it
holds the read end of a pipe whose other end only the parent has. (Prefect's own ephemeral server outlives
a parent that is killed.)
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tasks.recipe import PROJECT

PATIENCE = 120
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "GX_ANALYTICS_ENABLED": "false",
}


class NoServer(RuntimeError):
    """The embedded server did not come up."""


@contextmanager
def prefect_server() -> Iterator[str]:
    """The API's address, in PREFECT_API_URL too: the one that is set, or one that this starts.

    Call it before Prefect is imported. Raises NoServer.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    home = Path(os.environ.setdefault("PREFECT_HOME", str(PROJECT / "data" / "lake" / ".prefect")))
    home.mkdir(parents=True, exist_ok=True)
    if url := os.environ.get("PREFECT_API_URL"):
        yield url
        return
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    log = home / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "flows.embedded", str(port)],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            env=os.environ | {"PREFECT_SERVER_UI_ENABLED": "false", "PYTHONPATH": str(PROJECT)},
            start_new_session=True,  # Ctrl-C is for the run, which then ends the server
        )
    try:
        answering(url, server, log)
        os.environ["PREFECT_API_URL"] = url
        yield url
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        server.communicate()  # closes the pipe, and waits


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
    raise NoServer(f"the embedded Prefect server did not start; see {log}")


def serve(port: int) -> None:
    """The server's process: runs until the pipe on stdin closes."""
    import uvicorn

    def ends_with_parent() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=ends_with_parent, daemon=True).start()
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
