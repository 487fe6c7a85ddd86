"""The engine over the Batch API: what is asked is gathered into files, and each answer is handed back when it comes.

Whoever asks does not see it: keys, store, purse, outcome classes and attempts are those of live calls. A batch is
closed when it is full or nothing was asked for a while; questions that follow from answers make the next one.
Batches that an earlier run left are taken up first, each of their questions as one that is already on its way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tasks.recipe import Batch
from tasks.teacher.asking import Asking
from tasks.teacher.batched import HandedIn, Question
from tasks.teacher.circuit import FREE, Passage
from tasks.teacher.count import Count
from tasks.teacher.endings import TeacherUnusable, Unanswered
from tasks.teacher.engine import Engine
from tasks.teacher.jobs import ENDED, PATH, Jobs
from tasks.teacher.results import TOO_MUCH, Outcome, refusal, unanswered
from tasks.teacher.store import Stored
from tasks.teacher.wire import Wire

if TYPE_CHECKING:
    from openai.types import Batch as Job


@dataclass(slots=True)
class Line:
    """A question on its way, what stands of it in the file, and its answer to be. An earlier run's has no text."""

    question: Question
    text: bytes = b""
    answer: asyncio.Future[Outcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class BatchEngine(Engine):
    """One endpoint at work through batches; to its callers an Engine like another."""

    live = False

    async def __aenter__(self) -> BatchEngine:
        self.wire = wire = Wire(**self.told)
        self.how = self.endpoint.batch or Batch()
        self.jobs = Jobs(self, wire.client, self.how.poll)
        self.gathered: list[Line] = []
        self.size = 0
        self.timer: asyncio.TimerHandle | None = None
        self.left: dict[str, Line] = {}
        self.inside: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        for handed in self.store.batches.left(self.identity, self.endpoint.model or ""):
            self.take_up(handed)
        await asyncio.sleep(0)  # what is under way takes its room in the budget before anything new is asked
        return self

    async def __aexit__(self, kind: type[BaseException] | None = None, *_: object) -> None:
        """Look at each batch once more; what has not ended stays in the store for the next run."""
        self.jobs.leaving.set()
        if self.timer:
            self.timer.cancel()
        if kind:
            for task in self.tasks:
                task.cancel()
        while self.tasks:
            await asyncio.gather(*self.tasks, return_exceptions=True)
        await super().__aexit__()

    async def turn(self, most: Count, worth_waiting: Callable[[], None]) -> Passage:
        """At once: a batch has no pace."""
        worth_waiting()
        return FREE

    def leave(self, passage: Passage) -> None:
        pass

    async def attempt(self, body: dict[str, Any], asking: Asking) -> Outcome:
        line = self.left.pop(asking.key, None) or self.gather(body, asking)
        verdict, reply = await line.answer
        return self.discreet(verdict), reply

    # What is asked becomes a batch.

    def gather(self, body: dict[str, Any], asking: Asking) -> Line:
        plain = {"custom_id": asking.key, "method": "POST", "url": PATH, "body": body}
        question = Question(asking.key, asking.stage, asking.record, asking.body["max_tokens"], asking.request)
        line = Line(question, json.dumps(plain, ensure_ascii=False).encode() + b"\n")
        if self.size + len(line.text) > self.how.megabytes * 1e6:
            self.close()
        self.gathered.append(line)
        self.size += len(line.text)
        if self.timer:
            self.timer.cancel()
        if len(self.gathered) >= self.how.requests:
            self.close()
        else:
            self.timer = asyncio.get_running_loop().call_later(self.how.quiet, self.close)
        return line

    def close(self) -> None:
        """Send what was gathered, but for what nobody waits for any more."""
        lines, self.gathered, self.size = [g for g in self.gathered if not g.answer.done()], [], 0
        if lines:
            self.start(self.through(lines), lines)

    def start(self, work: Coroutine[Any, Any, None], lines: Sequence[Line] = ()) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(partial(self.over, lines))

    def over(self, lines: Sequence[Line], task: asyncio.Task[None]) -> None:
        """Nobody waits for a batch that is not looked after any more."""
        self.tasks.discard(task)
        fault = None if task.cancelled() else task.exception()
        for line in lines:
            if fault and not line.answer.done():
                line.answer.set_exception(fault)
            line.answer.cancel()

    async def through(self, lines: Sequence[Line]) -> None:
        """Hand a batch in and its answers out. It stands in the store before it is made, and after every attempt that
        its questions had before."""
        handed = await self.jobs.handed_in(b"".join(line.text for line in lines))
        await self.store.flush()
        questions = [line.question for line in lines]
        self.store.batches.begin(handed, self.identity, self.endpoint.model or "", questions)
        job = await self.jobs.made(handed)
        self.store.batches.name(handed.file, job.id)
        self.notice(f"batch {job.id} of {len(lines):,} questions is handed in; answers come within 24 hours")
        await self.collected(handed, job, lines)

    async def collected(self, handed: HandedIn, job: Job, lines: Sequence[Line]) -> None:
        """Give each line its answer once the batch has ended. Raises TeacherUnusable where it was refused."""
        self.inside.add(job.id)
        try:
            job = await self.jobs.followed(job)
        finally:
            self.inside.discard(job.id)
        if job.status == "failed":
            await self.failed(handed, job, lines)
        elif job.status in ENDED:
            found = await self.jobs.outcomes(job)
            for line in lines:
                if not line.answer.done():
                    line.answer.set_result(found.get(line.question.key, unanswered(job)))

    async def failed(self, handed: HandedIn, job: Job, lines: Sequence[Line]) -> None:
        """Nothing of a batch was asked: it goes in again where it only has to wait for others of ours."""
        self.store.batches.forget(handed.file)
        verdict = self.discreet(refusal(job))
        if not (verdict.name == TOO_MUCH and self.inside and all(line.text for line in lines)):
            self.stop(verdict)
        self.notice(f"batch {job.id} has to wait for others: {verdict.said}")
        await self.jobs.rest(self.how.poll)
        await self.through(lines)

    # What earlier runs handed in is collected, whether or not it is asked for again.

    def take_up(self, handed: HandedIn) -> None:
        lines = [Line(question) for question in handed.questions]
        for line in lines:
            key = line.question.key
            self.left[key] = line
            waiting = self.asking[key] = asyncio.get_running_loop().create_future()
            self.start(self.kept(line.question, waiting))
        self.start(self.resumed(handed, lines), lines)
        self.notice(f"batch {handed.batch or handed.file} of {len(lines):,} questions is still to be collected")

    async def resumed(self, handed: HandedIn, lines: Sequence[Line]) -> None:
        job = await self.jobs.found(handed)
        if job and job.status != "failed":
            return await self.collected(handed, job, lines)
        self.store.batches.forget(handed.file)
        raise Unanswered("the batch came to nothing")

    async def kept(self, asked: Question, waiting: asyncio.Future[Stored | None]) -> None:
        """One attempt, for whoever asks meanwhile; they ask anew where it gives no answer."""
        body = {**json.loads(asked.request), "max_tokens": asked.max_tokens}
        asking = Asking(self, asked.key, body, asked.request, Count(), asked.stage, asked.record, sent=True)
        call = None
        with contextlib.suppress(TeacherUnusable, Unanswered):
            try:
                verdict, reply = await asking.attempt(body)
                if verdict.kind in ("good", "final") and verdict.name != "refused_by_endpoint":
                    call = asking.kept(verdict, reply)
            finally:
                del self.asking[asked.key]
                waiting.set_result(call)
