"""Make what is the same one: prompts before they are paid for, answers before they are published."""

from __future__ import annotations

from typing import Any

from prefect import task

from tasks.loop import Bench, cache_key, inputs, run
from tasks.step import Step


@task(
    name="dedup",
    task_run_name="dedup {what}",
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
async def dedup(what: str, step: Step, given: list[dict[str, Any]], bench: Bench) -> dict[str, Any]:
    """All rows through a fold; gives the tally."""
    return (await run(step, inputs(given, None), bench)).plain()
