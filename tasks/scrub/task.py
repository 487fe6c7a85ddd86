"""Replace personal data by placeholders, before anything leaves the machine."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.tasks import exponential_backoff

from tasks.loop import Bench, cache_key, inputs, passing, run
from tasks.step import Step


@task(
    name="scrub",
    task_run_name="scrub {what}",
    retries=2,
    retry_delay_seconds=exponential_backoff(1),
    retry_jitter_factor=1,
    retry_condition_fn=passing,
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
async def scrub(what: str, step: Step, given: list[dict[str, Any]], part: int, bench: Bench) -> dict[str, Any]:
    """One shard through a step; gives the tally."""
    return (await run(step, inputs(given, part), bench)).plain()
