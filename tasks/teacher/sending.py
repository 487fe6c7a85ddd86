"""Requests sent by processes of their own, where one loop would be full: they hold the connections, the run all else.

On its way through HTTP a call costs more CPU time than in all else that the engine does for it. Past some hundred calls
in flight both together fill the one core that a loop can use.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

from tasks.recipe import Endpoint
from tasks.teacher.child import Child
from tasks.teacher.wire import Came

FULL = 384  # calls in flight, about: at 256 of 300 ms each a run that sends itself takes two thirds of a core
STILLBORN = 3  # senders in a row that end before any reply: the next would not do better


def senders(endpoint: Endpoint) -> int:
    """How many processes send the calls to an endpoint; 0: the run itself does."""
    if endpoint.recorded:
        return 0
    if endpoint.senders is not None:
        return endpoint.senders
    return int(endpoint.max_in_flight >= FULL and cores() > 1)


def cores() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class Senders:
    """The way to one path of an endpoint, as Wire is, by some processes; one that ends is followed by another.

    They start at once, which takes a second: long before the first question, where a run has prompts to mine."""

    broken = (OSError,)

    def __init__(self, many: int, wire: dict[str, Any], notice: Callable[[str], object]) -> None:
        self.wire, self.notice, self.stillborn = wire, notice, 0
        self.children = [Child(wire) for _ in range(many)]

    async def ready(self) -> None:
        """Return once they can send; no call's time runs until then."""
        for child in self.children:
            await child.ready.wait()

    async def close(self) -> None:
        await asyncio.gather(*(child.close() for child in self.children))

    async def post(self, body: bytes) -> Came:
        """The reply to a request, whatever its status, where they are ready. Raises ChildProcessError where none of
        them lives, or what Wire raises where no reply came."""
        at = min(range(len(self.children)), key=lambda i: len(self.children[i].waiting))
        if self.children[at].ended:
            self.children[at] = self.followed(self.children[at])
        return await self.children[at].post(body)

    def followed(self, ended: Child) -> Child:
        """Another sender, in the place of one that has ended."""
        self.stillborn = 0 if ended.answered else self.stillborn + 1
        if self.stillborn >= STILLBORN:
            raise ChildProcessError(f"{ended.ended}, as {STILLBORN} in a row did before any reply")
        self.notice(f"{ended.ended}: starting another one")
        return Child(self.wire)
