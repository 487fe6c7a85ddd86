"""Ask the teacher for task type and domain, or a small model that learns from it."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.tasks import exponential_backoff

from tasks.loop import Bench, cache_key, inputs, passing, run
from tasks.step import Step


@task(
    name="label",
    task_run_name="label {what}",
    retries=2,
    retry_delay_seconds=exponential_backoff(2),
    retry_jitter_factor=1,
    retry_condition_fn=passing,
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
async def label(what: str, step: Step, given: list[dict[str, Any]], part: int, bench: Bench) -> dict[str, Any]:
    """One shard through a step; the engine retries and caches the calls. Gives the tally."""
    return (await run(step, inputs(given, part), bench)).plain()


@task(
    name="learn",
    task_run_name="label {what}",
    retries=2,
    retry_delay_seconds=exponential_backoff(2),
    retry_jitter_factor=1,
    retry_condition_fn=passing,
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
async def learn(what: str, step: Step, given: list[dict[str, Any]], bench: Bench) -> dict[str, Any]:
    """All rows through a small model; gives the tally."""
    return (await run(step, inputs(given, None), bench)).plain()
