"""Publish: stage the whole dataset as a folder, and once the gates are passed, make it the version in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.history.dataset import Dataset, Entry
from tasks.history.student import Student
from tasks.loop import Bench, inputs, passing, run
from tasks.publish import exports, version
from tasks.publish.then import run as run_command
from tasks.step import Step


@task(
    name="split",
    task_run_name="split {what}",
    retries=2,
    retry_delay_seconds=exponential_backoff(1),
    retry_jitter_factor=1,
    retry_condition_fn=passing,
    cache_policy=NO_CACHE,
)
async def split(what: str, step: Step, given: list[dict[str, Any]], bench: Bench) -> dict[str, Any]:
    """Every row its side; never cached, as it is cheap and stands next to the commit. Gives the tally."""
    return (await run(step, inputs(given, None), bench)).plain()


@task(
    name="stage",
    task_run_name="stage the version",
    retries=2,
    retry_delay_seconds=exponential_backoff(1),
    retry_jitter_factor=1,
    retry_condition_fn=passing,
    cache_policy=NO_CACHE,
)
def stage(
    folder: str, rows: pa.Table, parent: str | None, merged: dict[str, list[str]], given: list[dict[str, Any]]
) -> dict[str, Any]:
    """The data files of the version to come: the parent's rows, then the new ones."""
    beside = Path(folder).parent
    new = version.published(rows, beside)
    old = version.parent_rows(Path(parent) if parent else None, beside)
    sides = {s: pa.concat_tables([version.with_roots(old[s], merged), new[s]]) for s in version.SIDES}
    return {"folder": folder, "files": version.stage(Path(folder), sides)}


@task(
    name="export",
    task_run_name="export {shapes}",
    retries=2,
    retry_delay_seconds=exponential_backoff(1),
    retry_jitter_factor=1,
    retry_condition_fn=passing,
    cache_policy=NO_CACHE,
)
def export(folder: str, shapes: list[str]) -> dict[str, Any]:
    """The staged rows in the shapes that trainers read; gives them for the manifest."""
    return exports.export(Path(folder), Path(folder), shapes)


@task(name="then", task_run_name="then {command[0]}", cache_policy=NO_CACHE)
async def then(command: list[str], facts: dict[str, str], log: Path) -> Student | None:
    """The command that follows a publication; gives the student that it names. Not retried: training is dear."""
    return await run_command(command, facts, log)


@task(name="publish", task_run_name="publish {entry.version}", cache_policy=NO_CACHE)
def publish(
    dataset: Dataset, entry: Entry, tables: dict[str, pa.Table], staged: dict[str, Any], findings: list[dict[str, Any]]
) -> str:
    """The commit; gives the version's folder. Not retried: what a broken one leaves, the next run clears."""
    dataset.commit(entry, tables, Path(staged["folder"]))
    return str(dataset.versions / str(entry.version))
