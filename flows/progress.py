"""How far a long stage is: a progress artifact in the UI, and figures of passing interest for a terminal.

A stage of a few seconds leaves no artifact. It moves in steps of 5 %, and every quarter of a minute where that takes
longer, as each move costs some 20 ms of requests; the figures go to a logger of their own, so that a run of hours does
not fill the server's log. Where nobody listens to it, as in a worker, nothing of them is shown.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from flows.artifacts import plain
from flows.pace import Figures, Pace, details, line, moved
from tasks.teacher.sight import Sight

PASSING = logging.getLogger("flywheel.progress")
PASSING.setLevel(logging.INFO)
SHORT = 4.0  # seconds that a stage may last without a word in the UI
EVERY = 1.0
STEP = 5.0  # percent
SLOW = 15.0  # seconds
KEY = re.compile(r"[^a-z0-9]+")  # what the key of an artifact cannot hold


@asynccontextmanager
async def watched(
    stage: str, rows: Callable[[], int], done: Callable[[], int], look: Callable[[], Sight | None] = lambda: None
) -> AsyncIterator[None]:
    """Show how many of the stage's rows are done, and what is seen of its engines, for as long as the block takes.
    Never ends a run."""
    shown = Shown(Pace(stage, rows, done, look))
    watching = asyncio.create_task(shown.watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        PASSING.info("", extra={"stage": stage, "figures": None})
        if not watching.cancelled() and (fault := watching.exception()):
            get_run_logger().warning(f"progress could not be shown: {type(fault).__name__}")
    await shown.moved(shown.pace.now())


class Shown:
    """One stage on display."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.artifact: UUID | None = None
        self.last: Figures | None = None

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            now = self.pace.now()
            PASSING.info(line(now), extra={"stage": now.stage, "figures": now})
            if self.last is None and now.seconds >= SHORT:
                key = f"progress-{KEY.sub('-', now.stage.lower())}"
                self.artifact, self.last = await acreate_progress_artifact(now.percent, key, described(now)), now
            elif self.last and (now.percent - self.last.percent >= STEP or now.seconds - self.last.seconds >= SLOW):
                await self.moved(now)

    async def moved(self, now: Figures) -> None:
        if self.artifact and now != self.last:
            self.last = now
            await aupdate_progress_artifact(self.artifact, now.percent, described(now))


def described(f: Figures) -> str:
    """The figures as the artifact's text: Markdown, so that names in it are made plain."""
    return "\n".join(
        [f"Rows through {f.stage}: {f.done} of {f.rows}, {moved(f)}", *(f"- {plain(d)}" for d in details(f))]
    )
