"""Run a flow from the command line: its server, its end as a report, and a sentence for whatever stops it."""

from __future__ import annotations

import asyncio
import errno
import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import Timeout

from flows.commands.ending import INTERRUPTED, end, of_recipe
from flows.commands.showing import shown
from flows.embedded import NoServer, prefect_server
from flows.report import Report, failed
from tasks.history.lock import busy, lock_of
from tasks.recipe import Recipe, RecipeError
from tasks.teacher.endpoints import check

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
STORE_FULL = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_SHMSIZE,
)  # not even its index of changes can grow
UNREACHED = "Failed to reach API"  # which Prefect says in a RuntimeError
DAMAGED = "flywheel verify says which; calls.sqlite alone may be put aside, and its answers are paid for again"
Start = Callable[[Recipe], Any]  # a flow called on the recipe, to be awaited for its state


def finished(told: Callable[[], Recipe], start: Start, plan: bool, as_json: bool, traceback: bool) -> int:
    """Run a flow on the recipe that the command line tells; prints how it ended and gives the exit code."""
    try:
        recipe = told()
        if not plan:
            check(recipe)
        keepable(recipe.dataset)
        if busy(recipe.dataset):
            said, hint = f"another run holds {recipe.dataset}", "wait for it, or name another output.name"
            return end(failed("busy", said, hint=hint, dataset=recipe.output.name), as_json)
        report = run(recipe, start)
    except RecipeError as fault:
        return end(of_recipe(fault), as_json)
    except NoServer as fault:
        return end(failed("error", str(fault)), as_json, 1)
    except KeyboardInterrupt:
        what = failed("error", "interrupted", hint="run the same command again: it goes on from here")
        return end(what, as_json, INTERRUPTED)
    except Exception as fault:
        if traceback:
            raise
        said = f"{type(fault).__name__}: {' '.join(str(fault).split())[:300]}"
        return end(failed("error", said, hint="--traceback shows where"), as_json, 1)
    return end(report, as_json)


def keepable(folder: Path) -> None:
    """Raises RecipeError where a dataset cannot be kept in the folder, before a server starts for it."""
    try:
        with suppress(Timeout):  # whoever holds it writes there
            folder.mkdir(parents=True, exist_ok=True)
            with lock_of(folder).acquire(timeout=0):
                pass
    except OSError as fault:
        what = f"cannot keep a dataset in {folder}: {fault.strerror}"
        hint = "name a folder that can be written to, with --out or in the recipe"
        raise RecipeError(what, "output.dir", hint) from None


def run(recipe: Recipe, start: Start) -> Report:
    """One flow run: on the server that PREFECT_API_URL names, else on an embedded one for as long as it takes."""
    with prefect_server() as url:
        try:
            return flow_run(recipe, start)
        except RuntimeError as fault:
            if str(fault).startswith(UNREACHED):
                what = (
                    f"no Prefect server answers at {url}: start it, or unset PREFECT_API_URL for one that this starts"
                )
                raise NoServer(what) from None
            raise
        finally:
            delivered()


def flow_run(recipe: Recipe, start: Start) -> Report:
    """The flow run itself, and its end state as a report."""
    from prefect.exceptions import PrefectException, TerminationSignal

    from tasks.history.dataset import Busy, Unfit
    from tasks.tally import Unbalanced

    try:
        with shown(sys.stderr):
            state: State[Any] = asyncio.run(start(recipe))
        result = state.data if isinstance(state.data, dict) else asyncio.run(state.aresult(raise_on_failure=False))
    except TerminationSignal:
        raise KeyboardInterrupt from None
    except PrefectException as fault:
        return failed("error", f"Prefect: {' '.join(str(fault).split())[:300]}")
    match result:
        case dict():
            return Report(**{k: v for k, v in result.items() if k not in ("schema", "dropped")})
        case Busy():
            return failed("busy", str(result), dataset=recipe.output.name)
        case Unfit():
            return failed("error", str(result), "output.name")
        case Unbalanced():
            return failed("error", f"the ledgers do not balance, nothing was published: {result}")
        case OSError() if result.errno in FULL:
            return full(recipe)
        case sqlite3.OperationalError() if result.sqlite_errorcode in STORE_FULL:
            return full(recipe)
        case OSError() if result.filename and result.strerror:
            said = f"{result.filename}: {result.strerror}"
            return failed("error", said, hint="see to that file, and run the same again")
        case sqlite3.DatabaseError() | json.JSONDecodeError():
            return failed("error", f"a file in {recipe.dataset} is damaged: {result}", "output.name", DAMAGED)
        case BaseException():
            raise result
        case _:
            return failed("error", f"the run ended as {state.name}: {state.message}")


def full(recipe: Recipe) -> Report:
    what = f"no space is left for {recipe.dataset}; nothing was published"
    return failed("error", what, "output.dir", "make room (output.keep removes old versions) and run the same again")


def delivered() -> None:
    """Wait until the server has the last log lines and task states: it may end with this command."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=5)
    EventsWorker.drain_all(timeout=5)
