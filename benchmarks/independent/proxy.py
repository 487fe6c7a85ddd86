"""The litellm proxy with mock responses: a server that speaks the protocol and is not ours."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from benchmarks.engine.peers import ENVIRONMENTS, LITELLM, environment, last_line, variables

HERE = Path(__file__).resolve().parent
PATIENCE = 90.0
DIRECT = build_opener(ProxyHandler({}))


class NotStarted(Exception):
    """The proxy did not come up; the message is the last that it said."""


@dataclass(frozen=True)
class Proxy:
    """A proxy under way, and the key that it takes."""

    url: str
    key: str


@contextmanager
def proxy() -> Iterator[Proxy]:
    """The proxy on a free port of loopback. Raises NotInstalled or NotStarted."""
    python, log = environment("litellm", LITELLM), ENVIRONMENTS / "litellm_proxy.log"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = Proxy(f"http://127.0.0.1:{port}/v1", f"sk-{secrets.token_hex(24)}")
    command = [python.with_name("litellm"), "--config", "proxy.yaml", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as out:
        env = variables({"LITELLM_MASTER_KEY": made.key})
        process = subprocess.Popen(command, cwd=HERE, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        awaited(made, process, log)
        yield made
    finally:
        process.terminate()
        process.wait()


def awaited(proxy: Proxy, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once it lists its models."""
    listed = Request(f"{proxy.url}/models", headers={"Authorization": f"Bearer {proxy.key}"})
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            with DIRECT.open(listed, timeout=5):
                return
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise NotStarted(last_line(log.read_text(errors="replace")))
