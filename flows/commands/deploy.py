"""`flywheel deploy`: the work pool, the deployments and the watch over dead runs, on a server that stays."""

from __future__ import annotations

import os

import click

from flows.commands.ending import end
from flows.embedded import NoServer, home
from flows.report import failed


@click.command()
def deploy() -> int:
    """Register refresh/weekly and refresh/adhoc of deployments/prefect.yaml on the server of PREFECT_API_URL.

    Run it again after an edit of that file. An edit of a recipe needs no deploying: a run reads it when it starts.
    """
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        hint = "PREFECT_API_URL=http://your-server:4200/api flywheel deploy; for a server of its own: flywheel ui"
        return end(failed("error", "no Prefect server to deploy to", "PREFECT_API_URL", hint), False)
    home()
    import httpx
    from prefect.exceptions import PrefectException

    from flows.deployed import POOL, register

    try:
        register()
    except NoServer as fault:
        return end(failed("error", str(fault)), False, 1)
    except (PrefectException, httpx.HTTPError) as fault:
        return end(failed("error", f"{url}: {' '.join(str(fault).split())[:300]}", "PREFECT_API_URL"), False, 1)
    click.echo(f"Deployed refresh/weekly and refresh/adhoc to {url}. Where they are to run:")
    click.echo(f"  PREFECT_API_URL={url} .venv/bin/prefect worker start --pool {POOL}")
    return 0
