"""The files and batches of one endpoint, by the openai SDK, through faults in passing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from tasks.teacher.batched import HandedIn
from tasks.teacher.outcomes import Verdict, of_break, of_status
from tasks.teacher.results import Outcome, outcomes

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch as Job

    from tasks.teacher.engine import Engine

ENDED = ("completed", "failed", "expired", "cancelled")
PATH = "/v1/chat/completions"
FIRST_LOOK, SLOWER = 5.0, 1.5
Given = TypeVar("Given")


class Jobs:
    """An engine's batches at its endpoint; `poll` is the longest pause between two looks at one, in seconds."""

    def __init__(self, engine: Engine, client: AsyncOpenAI, poll: float) -> None:
        self.engine, self.client, self.poll = engine, client, poll
        self.leaving = asyncio.Event()
        self.answered = False

    async def handed_in(self, content: bytes) -> HandedIn:
        upload = partial(self.client.files.create, file=("questions.jsonl", content), purpose="batch")
        file = await self.insist(upload)
        return HandedIn(file.id, file.created_at)

    async def made(self, handed: HandedIn) -> Job:
        """The batch of a file; a try whose answer was lost may have made it already."""
        tries = count()

        async def once() -> Job:
            made = await self.of_file(handed) if next(tries) else None
            return made or await self.client.batches.create(
                input_file_id=handed.file, endpoint=PATH, completion_window="24h"
            )

        return await self.insist(once)

    async def found(self, handed: HandedIn) -> Job | None:
        """The batch of a file that an earlier run handed in, where there is one."""
        if handed.batch:
            return await self.if_there(partial(self.client.batches.retrieve, handed.batch))
        return await self.if_there(partial(self.of_file, handed))

    async def of_file(self, handed: HandedIn) -> Job | None:
        """Look through the account's batches, newest first, as far back as the file."""
        async for job in self.client.batches.list(limit=100):
            if job.input_file_id == handed.file:
                return job
            if job.created_at < handed.created:
                break
        return None

    async def followed(self, job: Job) -> Job:
        """The batch once it has ended; or as it is when everybody leaves."""
        pause, told = min(FIRST_LOOK, self.poll), ""
        while job.status not in ENDED and not self.leaving.is_set():
            await self.rest(pause)
            job = await self.insist(partial(self.client.batches.retrieve, job.id))
            pause = min(self.poll, pause * SLOWER)
            if counts := job.request_counts:
                done = counts.completed + counts.failed
                if told != (told := f"{job.status} {10 * done // max(1, counts.total)}"):
                    self.engine.notice(f"batch {job.id} is {job.status}: {done:,} of {counts.total:,} done")
        return job

    async def rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.leaving.wait(), seconds)

    async def outcomes(self, job: Job) -> dict[str, Outcome]:
        """What its files say, by call key; nothing where they are gone."""
        found: dict[str, Outcome] = {}
        for file in filter(None, (job.error_file_id, job.output_file_id)):
            if kept := await self.if_there(partial(self.client.files.content, file)):
                found |= outcomes(kept.content)
        return found

    async def if_there(self, ask: Callable[[], Awaitable[Given]]) -> Given | None:
        from openai import NotFoundError

        async def or_none() -> Given | None:
            try:
                return await ask()
            except NotFoundError:
                return None

        return await self.insist(or_none)

    async def insist(self, ask: Callable[[], Awaitable[Given]]) -> Given:
        """What the API gives, for as long as it may be out. Raises TeacherUnusable."""
        import openai

        engine = self.engine
        began = engine.clock()
        for nth in count(1):
            try:
                given = await ask()
            except openai.APIStatusError as fault:
                verdict = of_status(fault.status_code, fault.response.content, fault.response.headers)
            except openai.APIConnectionError as fault:
                verdict = of_break(fault, engine.endpoint.timeout)
            except ValueError as fault:  # the SDK does not say what it found instead of JSON
                verdict = Verdict("retry", "bad_body", str(fault)[:200])
            else:
                self.answered = True
                return given
            verdict = engine.discreet(verdict)
            if verdict.kind in ("stop", "final"):
                engine.stop(refused(verdict))
            out = engine.clock() - began > (engine.endpoint.outage if self.answered else 0)
            if self.leaving.is_set() or (out and nth >= engine.endpoint.attempts):
                engine.stop(Verdict("stop", "unreachable", f"{verdict.name}: {verdict.said}"))
            pause = max(verdict.wait or 0, engine.pause(nth))
            engine.notice(f"its Batch API does not answer ({verdict.name}): trying again in {pause:.1f} s")
            await self.rest(pause)
        raise AssertionError("count ends never")


def refused(verdict: Verdict) -> Verdict:
    """What a refusal means to a batch as a whole, whose questions are not to blame."""
    if verdict.name in ("http_404", "http_405"):
        return Verdict("stop", "no_batch_api", f"{verdict.name} {verdict.said}".strip())
    return verdict if verdict.kind == "stop" else Verdict("stop", "batch_refused", verdict.said)
