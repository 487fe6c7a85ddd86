"""Tell a command or a webhook how a run ended: counts and gates, and no text of any row.

A hook that fails is a warning: it changes neither the run's result nor its exit code. What is said of it holds
neither the URL nor the arguments, which may be secrets.
"""

from __future__ import annotations

import json
import os
import subprocess
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import PurePath
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from flows.report import Report, failed
from tasks.history.dataset import Busy, Unfit
from tasks.recipe import Notify, Recipe, RecipeError
from tasks.recipe.notify import misaddressed
from tasks.tally import Unbalanced
from tasks.teacher.engine import LOOPBACK

KEPT = ("schema", "status", "dataset", "version", "path", "rows_read", "rows_new", "rows_total", "ledger", "dropped")
KEPT = (*KEPT, "teacher", "splits", "gates")
OURS = (Busy, Unfit, Unbalanced, RecipeError)  # their messages name fields, files and counts, and no text of a row
STOPPED = (KeyboardInterrupt, CancelledError)
WHATS = {
    "blocked": "a gate blocks: flywheel gates shows it",
    "budget": "the budget is spent: raise it and run again",
    "teacher": "the teacher cannot be used: the run's own report says why",
}


class NoRedirect(HTTPRedirectHandler):
    """A webhook stands where it was said to stand."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:
        return None


@contextmanager
def telling(recipe: Recipe, say: Callable[[str], None]) -> Iterator[None]:
    """Tells of a run that ends in this block by a fault or Ctrl-C; the fault goes on as it was."""
    try:
        yield
    except (Exception, *STOPPED) as fault:
        what = str(fault) if isinstance(fault, OURS) else type(fault).__name__
        what = "interrupted" if isinstance(fault, STOPPED) else what
        report = failed("error", what, dataset=recipe.output.name)
        for warning in tell(recipe.notify, report):
            say(warning)
        raise


def tell(notify: Notify, report: Report) -> list[str]:
    """Tell whoever wants to know of such an end; gives a sentence for each hook that failed."""
    if (report.status if report.status in WHATS or not report.error else "failed") not in notify.when:
        return []
    body = json.dumps(payload(report), ensure_ascii=False).encode()
    hooks = (by_command(notify, body) if notify.command else "", by_webhook(notify, body))
    return [*filter(None, hooks)]


def payload(report: Report) -> dict[str, Any]:
    """What is told. The teacher's own words are left out: an endpoint may repeat what it was asked."""
    plain = report.plain()
    said = report.error["what"] if report.error and report.status not in WHATS else ""
    return {k: plain[k] for k in KEPT} | {"what": WHATS.get(report.status, said)}


def by_command(notify: Notify, body: bytes) -> str:
    named = f"notify.command ({PurePath(notify.command[0]).name})"
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            notify.command, input=body, stdout=quiet, stderr=quiet, timeout=notify.timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{named} took longer than {notify.timeout:g} s and was stopped"
    except (OSError, ValueError) as fault:
        return f"{named} did not start: {type(fault).__name__}"
    return f"{named} ended with exit code {done.returncode}" if done.returncode else ""


def by_webhook(notify: Notify, body: bytes) -> str:
    url = notify.webhook or os.environ.get(notify.webhook_env or "", "").strip()
    if not url:
        return f"notify.webhook_env: {notify.webhook_env} is not set" if notify.webhook_env else ""
    if not notify.webhook and misaddressed(url):
        return f"notify.webhook_env: {notify.webhook_env} holds no URL"
    own = urlsplit(url).hostname in LOOPBACK  # a proxy does not reach this machine's loopback
    opener = build_opener(NoRedirect, *[ProxyHandler({})] * own)
    request = Request(url, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310  http or https
    try:
        opener.open(request, timeout=notify.timeout).close()
    except HTTPError as fault:
        return f"notify.webhook answered {fault.code}"
    except (OSError, HTTPException, ValueError) as fault:
        return f"notify.webhook was not reached: {type(getattr(fault, 'reason', fault)).__name__}"
    return ""
