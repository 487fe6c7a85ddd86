"""How far a stage is, in words and in the UI."""

from __future__ import annotations

import asyncio
import logging

import pytest


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min"), (90000, "25 h 0 min")],
)
def test_a_span_of_time_is_said_in_two_figures(seconds: float, text: str) -> None:
    from flows.progress import spoken

    assert spoken(seconds) == text


def test_a_line_says_how_far_how_fast_and_how_long_still() -> None:
    from flows.progress import line

    assert line("answer", 250, 1000, 12.5) == "answer   250 of 1000 rows, 25 %, 12.5/s, 1 min 0 s left"


def test_a_stage_that_stands_still_promises_no_end() -> None:
    from flows.progress import line

    assert line("judge", 3, 9, 0.0) == "judge    3 of 9 rows, 33 %"


async def test_a_long_stage_leaves_its_progress_in_the_ui(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect import flow

    from flows.progress import PASSING, watched

    monkeypatch.setattr("flows.progress.SHORT", 0.0)
    monkeypatch.setattr("flows.progress.EVERY", 0.01)
    heard, done = asyncio.Event(), 0
    handler = logging.Handler()
    handler.emit = lambda _: heard.set()  # type: ignore[method-assign]
    PASSING.addHandler(handler)

    @flow
    async def staged() -> None:
        nonlocal done
        async with watched("testing", 10, lambda: done):
            await heard.wait()
            done = 9

    await staged()
    PASSING.removeHandler(handler)
    assert await shown("progress-testing") == 90.0


async def test_a_short_stage_leaves_none() -> None:
    from prefect import flow

    from flows.progress import watched

    @flow
    async def staged() -> None:
        async with watched("brief", 10, lambda: 10):
            await asyncio.sleep(0)

    await staged()
    assert await shown("progress-brief") is None


async def shown(key: str) -> float | None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter

    async with get_client() as client:
        found = await client.read_artifacts(artifact_filter=ArtifactFilter.model_validate({"key": {"any_": [key]}}))
    return found[0].data if found else None  # type: ignore[return-value]
