"""Is Prefect fit: its version, its telemetry, and the server where one is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

from flows.doctor.checked import Checked, ok, problem, warning
from flows.embedded import QUIET
from tasks.recipe import Recipe

TELEMETRY = ("PREFECT_SERVER_ANALYTICS_ENABLED", "DO_NOT_TRACK", "GX_ANALYTICS_ENABLED")
SERIES = "3.8."
INSTALL = "install what the project pins: make run, or pip install -c constraints.txt -e ."


def server(_: Recipe) -> Iterator[Checked]:
    yield package()
    yield telemetry()
    yield reachable()


def package() -> Checked:
    try:
        found = version("prefect")
        import prefect  # noqa: F401  an installation may be there and not work
    except (PackageNotFoundError, ImportError, AttributeError, TypeError) as fault:
        return problem("prefect", f"Prefect cannot be imported: {' '.join(str(fault).split())[:200]}", INSTALL)
    if not found.startswith(SERIES):
        return warning("prefect", f"Prefect {found}, tested with {SERIES}x", INSTALL)
    return ok("prefect", f"Prefect {found}")


def telemetry() -> Checked:
    on = [n for n in TELEMETRY if os.environ.get(n, QUIET[n]).lower() != QUIET[n]]
    if on:
        return warning("telemetry", f"on by {', '.join(on)}", "unset them: a run then switches it off")
    return ok("telemetry", "off")


def reachable() -> Checked:
    url = os.environ.get("PREFECT_API_URL", "")
    if not url:
        return ok("server", "PREFECT_API_URL is not set: each run starts a server of its own")
    host = urlsplit(url).hostname or "?"
    try:
        with urlopen(f"{url.rstrip('/')}/health", timeout=5):  # noqa: S310  the user's own address
            return ok("server", f"the Prefect server at {host} answers")
    except HTTPError as fault:
        return warning(
            "server", f"the Prefect server at {host} answers {fault.code}", "check PREFECT_API_URL and its key"
        )
    except (OSError, ValueError) as fault:
        said = f"no Prefect server at {host}: {type(getattr(fault, 'reason', fault)).__name__}"
        return problem("server", said, "start it (flywheel ui), or unset PREFECT_API_URL")
