"""`flywheel refresh`: one turn of the wheel from the command line."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.commands.ending import INTERRUPTED, end, of_recipe
from flows.commands.showing import shown
from flows.embedded import NoServer, prefect_server
from flows.report import Report, failed
from tasks.history.lock import busy
from tasks.recipe import Recipe, RecipeError, checked, read, utc
from tasks.teacher.endpoints import check

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

DEFAULT = "deployments/recipes/weekly.yaml"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@click.command()
@click.option("--recipe", "recipe_file", default=DEFAULT, show_default=True, help="The recipe, a YAML file.")
@click.option(
    "--source", "sources", multiple=True, metavar="URI", help="Logs to read instead of the recipe's; repeatable."
)
@click.option("--mapping", metavar="NAME", help="The shape of the logs: openai, sharegpt, alpaca or own.")
@click.option("--out", metavar="DIR", help="The lake to keep the dataset in.")
@click.option("--since", metavar="TIME", help="Leave rows before this alone. ISO 8601, UTC where it names no zone.")
@click.option("--until", metavar="TIME", help="Leave rows from this on alone.")
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change one field: teacher.model=…; repeatable."
)
@click.option("--plan", is_flag=True, help="Say calls, tokens and money for each stage and call nobody; needs no key.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object as the last line of stdout.")
@click.option("--traceback", is_flag=True, help="Show where an unexpected error came from.")
def refresh(
    recipe_file: str,
    sources: tuple[str, ...],
    mapping: str | None,
    out: str | None,
    since: str | None,
    until: str | None,
    changes: tuple[str, ...],
    plan: bool,
    as_json: bool,
    traceback: bool,
) -> int:
    """Pull new logs, mine, distil, judge, gate, deduplicate and publish a new version.

    \b
    Exit codes: 0 published, nothing new, or a plan; 2 usage, recipe or input; 3 blocked by a gate;
    4 budget reached; 5 teacher unusable; 6 another run holds the dataset; 130 interrupted.
    """
    try:
        recipe = told(recipe_file, sources, mapping, out, changes)
        window = (moment("--since", since), moment("--until", until))
        if not plan:
            check(recipe)
        if busy(recipe.dataset):
            return end(
                failed("busy", f"another run holds {recipe.dataset}", hint="wait for it, or name another output.name"),
                as_json,
            )
        report = run(recipe, window, plan)
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


def told(file: str, sources: tuple[str, ...], mapping: str | None, out: str | None, changes: tuple[str, ...]) -> Recipe:
    """The recipe with what the command line changes."""
    plain = read(file, changes).model_dump()
    if sources:
        first = plain["sources"][0] if plain["sources"] else {}
        how = {key: first[key] for key in ("mapping", "delimiter", "storage", "password_env") if key in first}
        plain["sources"] = [{"uri": uri, **how} for uri in sources]
    if mapping:
        plain["sources"] = [source | {"mapping": mapping} for source in plain["sources"]]
    if out:
        plain["output"]["dir"] = str(Path(out).expanduser().absolute())
    return checked(plain, file)


def moment(option: str, given: str | None) -> datetime | None:
    try:
        return utc(datetime.fromisoformat(given)) if given else None
    except ValueError:
        raise RecipeError(
            f"{option} {given}: expected a time in ISO 8601, such as 2026-11-09 or 2026-11-09T08:00:00+08:00"
        ) from None


def run(recipe: Recipe, window: tuple[datetime | None, datetime | None], plan: bool) -> Report:
    """One flow run: on the server that PREFECT_API_URL names, else on an embedded one for as long as it takes."""
    with prefect_server():
        try:
            return flow_run(recipe, window, plan)
        finally:
            delivered()


def flow_run(recipe: Recipe, window: tuple[datetime | None, datetime | None], plan: bool) -> Report:
    """The flow run itself, and its end state as a report."""
    from prefect.exceptions import PrefectException

    from flows.refresh import refresh as flow
    from tasks.history.dataset import Busy, Unfit
    from tasks.tally import Unbalanced

    try:
        with shown(sys.stderr):
            state: State[Any] = asyncio.run(flow(recipe, *window, plan, return_state=True))  # pyright: ignore[reportArgumentType]
        result = state.data if isinstance(state.data, dict) else asyncio.run(state.aresult(raise_on_failure=False))
    except PrefectException as fault:
        return failed("error", f"Prefect: {' '.join(str(fault).split())[:300]}")
    match result:
        case dict():
            return Report(**{k: v for k, v in result.items() if k not in ("schema", "dropped")})
        case Busy():
            return failed("busy", str(result))
        case Unfit():
            return failed("error", str(result), "output.name")
        case Unbalanced():
            return failed("error", f"the ledgers do not balance, nothing was published: {result}")
        case OSError() if result.errno in FULL:
            return full(recipe)
        case sqlite3.OperationalError() if result.sqlite_errorcode == sqlite3.SQLITE_FULL:
            return full(recipe)
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
