"""How far a long stage is: a progress artifact in the UI, and lines of passing interest for a terminal.

A stage of a few seconds shows none. The artifact moves in steps of 5 %, as each costs some 20 ms of requests; the
lines go to a logger of their own, so that a run of hours does not fill the server's log.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

PASSING = logging.getLogger("flywheel.progress")
PASSING.setLevel(logging.INFO)
SHORT = 4.0  # seconds that a stage may last without a word
EVERY = 1.0
STEP = 5.0  # percent


@asynccontextmanager
async def watched(stage: str, rows: int, done: Callable[[], int]) -> AsyncIterator[None]:
    """Show how many of the stage's rows are done for as long as the block takes. Never ends a run."""
    shown = Shown(stage, rows, done)
    watching = asyncio.create_task(shown.watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        if not watching.cancelled() and (fault := watching.exception()):
            get_run_logger().warning(f"progress could not be shown: {type(fault).__name__}")
    await shown.moved()


class Shown:
    """One stage on display."""

    def __init__(self, stage: str, rows: int, done: Callable[[], int]) -> None:
        self.stage, self.rows, self.done = stage, rows, done
        self.artifact: UUID | None = None
        self.percent = 0.0

    async def watch(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(SHORT)
        began, before = time.monotonic(), self.done()
        self.percent = self.share
        said = f"Rows through {self.stage}"
        self.artifact = await acreate_progress_artifact(self.percent, f"progress-{self.stage}", said)
        while True:
            await asyncio.sleep(EVERY)
            done = self.done()
            PASSING.info(line(self.stage, done, self.rows, (done - before) / (time.monotonic() - began)))
            if self.share - self.percent >= STEP:
                await self.moved()

    async def moved(self) -> None:
        if self.artifact and self.share != self.percent:
            self.percent = self.share
            await aupdate_progress_artifact(self.artifact, self.percent)

    @property
    def share(self) -> float:
        return 100 * self.done() / self.rows if self.rows else 100.0


def line(stage: str, done: int, rows: int, rate: float) -> str:
    """One line: how far, how fast in rows a second, how long still."""
    far = f"{stage:<8} {done} of {rows} rows, {100 * done // max(rows, 1)} %"
    return f"{far}, {rate:.3g}/s, {spoken((rows - done) / rate)} left" if rate > 0 else far


def spoken(seconds: float) -> str:
    """A span of time to two figures that matter."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
