"""Who is measured beside the engine, and the environment of each: made once, in a folder that git ignores."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
ENVIRONMENTS = PROJECT / ".venv-peers"
VERSION = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
TELLS_NOBODY = {
    "ANONYMIZED_TELEMETRY": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "NO_PROXY": "127.0.0.1",
    "TELEMETRY_ENABLED": "false",
}


class NotInstalled(Exception):
    """An environment could not be made; the message is the last that pip said."""


@dataclass(frozen=True)
class Peer:
    """A client: its file is `with_<name>.py`. `keeps` says that it has a place on disk for answers; `slow` that it is
    given fewer calls, so that the benchmark ends. `requires` pins what was tried in Python 3.11; empty is this project.
    """

    name: str
    title: str
    package: str
    requires: tuple[str, ...]
    keeps: bool = True
    slow: bool = False

    @property
    def file(self) -> Path:
        return HERE / f"with_{self.name}.py"

    @property
    def log(self) -> Path:
        return ENVIRONMENTS / f"{self.name}.log"

    def python(self) -> Path:
        """The Python of its environment, made where it is not there. Raises NotInstalled."""
        return environment(self.name, self.requires) if self.requires else Path(sys.executable)

    def version(self, python: Path) -> str:
        return subprocess.check_output([python, "-c", VERSION, self.package], env=variables(), text=True).strip()


LITELLM = ("litellm[caching,proxy]==1.106.2",)  # a hit of its cache imports its proxy
PEERS = (
    Peer("ours", "this engine, every answer stored", "openai", ()),
    Peer("aiohttp", "aiohttp by hand (the limit)", "aiohttp", ("aiohttp==3.14.5",), keeps=False),
    Peer("openai_aiohttp", "openai SDK, DefaultAioHttpClient", "openai", ("openai[aiohttp]==3.54.0",), keeps=False),
    Peer("openai", "openai SDK, default transport", "openai", ("openai==3.54.0",), keeps=False),
    Peer("litellm", "litellm, disk cache", "litellm", LITELLM, slow=True),
    Peer("curator", "curator", "bespokelabs-curator", ("bespokelabs-curator==0.1.31",), slow=True),
    Peer("distilabel", "distilabel", "distilabel", ("distilabel[openai]==1.5.3", "requests==2.34.2"), slow=True),
)


def environment(name: str, requires: tuple[str, ...]) -> Path:
    """The Python of an environment of its own, made anew where its requirements changed. Raises NotInstalled."""
    folder = ENVIRONMENTS / name
    python, stamp = folder / "bin" / "python", folder / ".installed"
    digest = hashlib.sha256(repr((sys.version, requires)).encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != digest:
        print(f"{name}: setting up {folder.relative_to(PROJECT)} (once) ...", flush=True)
        ENVIRONMENTS.mkdir(exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *requires]
        ran = subprocess.run(pip, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if ran.returncode:
            raise NotInstalled(last_line(ran.stderr))
        stamp.write_text(digest)
    return python


def variables(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment variables of a client: this process's, but for what Python reads of them."""
    known = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return known | TELLS_NOBODY | dict(more or {})


def last_line(said: str) -> str:
    """What a program complained of last."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
