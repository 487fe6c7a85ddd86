"""Pull user logs: what is new in a source since the last increment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.history.dataset import Dataset
from tasks.loop import passing
from tasks.pull.source import pull as pull_source
from tasks.pull.source import stream
from tasks.pull.window import Window, resumed
from tasks.recipe import Pulling, Source


@task(
    name="pull",
    task_run_name="pull {source.uri}",
    retries=2,
    retry_delay_seconds=exponential_backoff(2),
    retry_jitter_factor=1,
    retry_condition_fn=passing,
    cache_policy=NO_CACHE,
)
def pull(
    source: Source,
    since: datetime | None,
    until: datetime | None,
    dataset: Dataset,
    folder: str,
    rows: int,
    bound: Pulling,
) -> dict[str, Any]:
    """One source into shards of records; gives what was read. Never cached: a log grows."""
    window = Window(since or source.since, until)
    resume = None if since or until else resumed(dataset.watermark(stream(source)), source.overlap, datetime.now(UTC))
    return pull_source(source, window, dataset.known, Path(folder), rows, bound, resume).plain()
