"""`flywheel ui`: a Prefect server with its UI, our deployments and a worker, on loopback, until Ctrl-C."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

import click
from filelock import FileLock, Timeout

from flows.commands.ending import end
from flows.embedded import NoServer, Server, free_port, home, server
from flows.report import failed
from flows.tied import tied

OFTEN = {"PREFECT_WORKER_QUERY_SECONDS": "2"}
SAMPLES = "deployments/recipes/samples.yaml"


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Default: a free one.")
def ui(port: int | None) -> int:
    """Serve the Prefect UI with refresh/weekly and refresh/adhoc and a worker that runs them, until Ctrl-C.

    What runs when it stops is cancelled as by Ctrl-C: the work is kept, and the next run goes on. The weekly schedule
    starts paused; switch it on in the UI, or deploy to a server that stays (flywheel deploy).
    """
    folder = home()
    address = folder / "ui.address"
    try:
        with FileLock(folder / "ui.lock").acquire(timeout=0):
            return serve(folder, address, port or free_port())
    except Timeout:
        there = address.read_text().strip() if address.is_file() else "an address that it is about to print"
        click.echo(f"The Prefect UI already runs: {there}")
        return 0
    except NoServer as fault:
        return end(failed("error", str(fault)), False, 1)


def serve(folder: Path, address: Path, port: int) -> int:
    """Server, deployments, worker; then wait for Ctrl-C, or a signal to end."""
    if taken(port):
        return end(failed("error", f"port {port} is taken", "--port", "leave it out for a free one"), False)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    click.echo("Starting the Prefect server …", err=True)
    try:
        with server(port, ui=True) as own:
            deploy()
            with tied("flows.worker", [], folder / "worker.log", own.process, OFTEN) as worker:
                address.write_text(own.url)
                click.echo(welcome(own))
                wait(own.process, worker)
                click.echo("Stopping: what runs is cancelled, its work kept …", err=True)
    except KeyboardInterrupt:
        return 0
    finally:
        address.unlink(missing_ok=True)
    raise NoServer(f"the Prefect server or its worker ended; see {folder}")


def wait(*running: subprocess.Popen[bytes]) -> None:
    """Until one of them ends. Raises KeyboardInterrupt, said at once, as what is running needs its seconds to stop."""
    try:
        while all(process.poll() is None for process in running):
            time.sleep(1)
    except KeyboardInterrupt:
        click.echo("Stopping; what runs is cancelled, its work kept …")
        raise


def deploy() -> None:
    """Register everything, with the weekly schedule paused: whoever opens a UI to look has not asked for a run."""
    from prefect.client.orchestration import get_client

    from flows.deployed import register
    from flows.worker import crashed

    register()
    with get_client(sync_client=True) as client:
        crashed(client)
        client.pause_deployment(client.read_deployment_by_name("refresh/weekly").id)


def taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def welcome(own: Server) -> str:
    """Where it is, what to type, how to stop."""
    run = f"prefect deployment run refresh/adhoc -p recipe={SAMPLES} --watch"
    return "\n".join(
        (
            f"The Prefect UI: {own.url}   (Ctrl-C stops it, and cancels what runs)",
            "In another terminal, a run by the worker here:",
            f"  PREFECT_API_URL={own.api} .venv/bin/{run}",
            "or in that terminal itself:",
            f"  PREFECT_API_URL={own.api} .venv/bin/flywheel refresh --recipe {SAMPLES}",
            "refresh/weekly is paused here; switch it on in the UI.",
        )
    )
