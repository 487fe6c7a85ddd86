"""How far a stage is, in the UI."""

from __future__ import annotations

import asyncio
import logging

import pytest
from prefect.client.schemas.objects import Artifact

from tasks.teacher.count import Asked, Count
from tasks.teacher.sight import Sight


async def test_a_long_stage_leaves_its_progress_in_the_ui(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect import flow

    from flows.progress import PASSING, watched

    monkeypatch.setattr("flows.progress.SHORT", 0.0)
    monkeypatch.setattr("flows.progress.EVERY", 0.01)
    heard, done = asyncio.Semaphore(0), 0
    sight = Sight(Asked(Count(3, 1, 1200, 30, 0.5), 2), 2, 4, 8, out={"a_model": 26.3})
    handler = logging.Handler()
    handler.emit = lambda _: heard.release()  # type: ignore[method-assign]
    PASSING.addHandler(handler)

    @flow
    async def staged() -> None:
        nonlocal done
        async with watched("testing", lambda: 10, lambda: done, lambda: sight):
            for _ in range(2):  # the artifact stands once the figures are told a second time
                await heard.acquire()
            done = 9

    await staged()
    PASSING.removeHandler(handler)
    left = await shown("progress-testing")
    assert left
    assert left.data == 90.0
    assert "9 of 10, 90 %" in str(left.description)
    assert "\n- 1,200 tokens in, 30 out, USD 0.5000" in str(left.description)
    assert "\n- a\\_model is out: next probe in 27 s" in str(left.description)


async def test_a_short_stage_leaves_none() -> None:
    from prefect import flow

    from flows.progress import watched

    @flow
    async def staged() -> None:
        async with watched("brief", lambda: 10, lambda: 10):
            await asyncio.sleep(0)

    await staged()
    assert await shown("progress-brief") is None


async def test_an_artifact_of_a_stage_that_stands_still_is_updated_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in an outage: the share does not move, but what is said of it does."""
    from prefect import flow

    from flows.progress import watched

    for name, value in (("SHORT", 0.0), ("EVERY", 0.01), ("SLOW", 0.0)):
        monkeypatch.setattr(f"flows.progress.{name}", value)
    waits = iter(range(1000, 0, -1))

    @flow
    async def staged() -> None:
        async with watched("waiting", lambda: 10, lambda: 0, lambda: Sight(out={"m": next(waits)})):
            while "in 99" not in str((left := await shown("progress-waiting")) and left.description):
                await asyncio.sleep(0.05)

    await asyncio.wait_for(staged(), 60)
    left = await shown("progress-waiting")
    assert left
    assert left.data == 0.0


async def shown(key: str) -> Artifact | None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter

    async with get_client() as client:
        found = await client.read_artifacts(artifact_filter=ArtifactFilter.model_validate({"key": {"any_": [key]}}))
    return found[0] if found else None
