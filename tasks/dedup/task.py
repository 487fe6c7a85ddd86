"""Make what is the same one: prompts before they are paid for, answers before they are published."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.tasks import exponential_backoff

from tasks.loop import Bench, cache_key, inputs, passing, run
from tasks.step import Step


@task(
    name="dedup",
    task_run_name="dedup {what}",
    retries=2,
    retry_delay_seconds=exponential_backoff(1),
    retry_jitter_factor=1,
    retry_condition_fn=passing,
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
async def dedup(what: str, step: Step, given: list[dict[str, Any]], bench: Bench) -> dict[str, Any]:
    """All rows through a fold; gives the tally."""
    return (await run(step, inputs(given, None), bench)).plain()
