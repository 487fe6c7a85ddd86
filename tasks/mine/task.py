"""Leave out what is not worth a teacher's answer: row by row, and what repeats over the whole run."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.tasks import exponential_backoff

from tasks.loop import Bench, cache_key, inputs, passing, run
from tasks.step import Step


@task(
    name="mine",
    task_run_name="mine {what}",
    retries=2,
    retry_delay_seconds=exponential_backoff(1),
    retry_jitter_factor=1,
    retry_condition_fn=passing,
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
async def mine(what: str, step: Step, given: list[dict[str, Any]], part: int, bench: Bench) -> dict[str, Any]:
    """One shard through a step; gives the tally."""
    return (await run(step, inputs(given, part), bench)).plain()


@task(
    name="repeats",
    task_run_name="mine {what}",
    retries=2,
    retry_delay_seconds=exponential_backoff(1),
    retry_jitter_factor=1,
    retry_condition_fn=passing,
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
async def repeats(what: str, step: Step, given: list[dict[str, Any]], bench: Bench) -> dict[str, Any]:
    """All rows through a fold; gives the tally."""
    return (await run(step, inputs(given, None), bench)).plain()
