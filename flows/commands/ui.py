"""`flywheel ui`: the Prefect UI on this project's runs, on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from flows.embedded import QUIET, free_port
from tasks.recipe import PROJECT


@click.command()
@click.option("--port", type=int, help="Default: a free one.")
def ui(port: int | None) -> int:
    """Serve the Prefect UI until Ctrl-C; runs started with its PREFECT_API_URL show up as they turn."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    home = Path(os.environ.get("PREFECT_HOME", PROJECT / "data" / "lake" / ".prefect"))
    home.mkdir(parents=True, exist_ok=True)
    told = {"PREFECT_HOME": str(home), "PREFECT_UI_API_URL": f"{url}/api", "PREFECT_API_URL": f"{url}/api"}
    click.echo(f"The Prefect UI: {url}   (Ctrl-C stops it)")
    click.echo(f"In another terminal: PREFECT_API_URL={url}/api .venv/bin/flywheel refresh …")
    server = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    try:
        return subprocess.run(server, env=os.environ | QUIET | told, stdout=subprocess.DEVNULL, check=False).returncode
    except KeyboardInterrupt:
        click.echo("stopped")
        return 0
