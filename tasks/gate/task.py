"""Gates: on each row, and on the staged dataset as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.gate import suite
from tasks.loop import Bench, cache_key, inputs, passing, run
from tasks.step import Step
from tasks.tally import Tally


@task(
    name="gate",
    task_run_name="gate {what}",
    retries=2,
    retry_delay_seconds=exponential_backoff(1),
    retry_jitter_factor=1,
    retry_condition_fn=passing,
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
async def gate(what: str, step: Step, given: list[dict[str, Any]], part: int, bench: Bench) -> dict[str, Any]:
    """One shard through the row gates; gives the tally."""
    return (await run(step, inputs(given, part), bench)).plain()


@task(name="inspect", task_run_name="inspect {what}", cache_policy=NO_CACHE)
def inspect(
    what: str, path: str, given: list[dict[str, Any]], staged: dict[str, Any] | None, terms: suite.Terms | None = None
) -> list[dict[str, Any]]:
    """The gates of a suite, on the tallies of the run or on the staged files; gives the findings."""
    rules = suite.read(path)
    found = suite.rows(rules, Path(staged["folder"]), terms) if staged else suite.shares(rules, map(Tally.of, given))
    return [f.plain() for f in found]
