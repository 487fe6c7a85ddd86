"""A Prefect worker for as long as `flywheel ui` runs: it takes what is asked of our work pool.

When its parent ends it cancels what is running, as Ctrl-C does to a run: the work is kept, and the next run goes on.
A run has a session of its own, so no signal to the worker would reach it.
"""

from __future__ import annotations

import os
import runpy
import sys
import time
from typing import TYPE_CHECKING

from flows.deployed import POOL
from flows.tied import on_parents_end

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

GRACE = 60  # seconds for runs to end; what still runs then is left to the watch over dead runs


def under_way(client: SyncPrefectClient) -> list[FlowRun]:
    """The runs in our pool that have begun and not ended."""
    from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter

    begun = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}})
    return client.read_flow_runs(
        flow_run_filter=begun, work_pool_filter=WorkPoolFilter.model_validate({"name": {"any_": [POOL]}})
    )


def crashed(client: SyncPrefectClient) -> None:
    """Before there is a worker: what counts as under way died with the last one, and would keep others waiting."""
    from prefect.states import Crashed

    for run in under_way(client):
        client.set_flow_run_state(run.id, Crashed(message="its worker was killed; run it again: it goes on from there"))


def cancelled(client: SyncPrefectClient) -> int:
    """Ask every run under way to end; how many there still are."""
    from prefect.client.schemas.objects import StateType
    from prefect.states import Cancelling

    runs = under_way(client)
    for run in runs:
        if run.state_type != StateType.CANCELLING:
            client.set_flow_run_state(run.id, Cancelling(message="flywheel ui was stopped"))
    return len(runs)


def end() -> None:
    """Cancel what is running, wait for it, and go."""
    from prefect.client.orchestration import get_client

    until = time.monotonic() + GRACE
    try:
        with get_client(sync_client=True) as client:
            while cancelled(client) and time.monotonic() < until:
                time.sleep(0.5)
    finally:
        os._exit(0)


if __name__ == "__main__":
    on_parents_end(end)
    sys.argv = ["prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", "flywheel ui"]
    runpy.run_module("prefect", run_name="__main__")
