"""A process that holds the connections of one endpoint: requests come from the run, replies go back to it.

    python -m tasks.teacher.sender        with a socket to the run as its stdin

It decides nothing: store, limits, budget, timeouts and what a reply means stay with the run. It ends when the socket
does, however the run ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from functools import partial

import orjson

from tasks.teacher import frames
from tasks.teacher.collector import calm
from tasks.teacher.frames import Frames
from tasks.teacher.outcomes import of_break
from tasks.teacher.wire import Wire


class Sender:
    """Requests under way, by their number."""

    def __init__(self) -> None:
        self.frames = Frames(self.got, partial(os._exit, 0))  # a tidy end lets answers come that nobody keeps
        self.under_way: dict[int, asyncio.Task[None]] = {}
        self.wire: Wire

    async def run(self, line: socket.socket) -> None:
        """Until the run closes its end, or has ended: the process goes with it, and all its connections at once."""
        await asyncio.get_running_loop().create_connection(lambda: self.frames, sock=line)
        await asyncio.Event().wait()

    def got(self, number: int, what: int, head: bytes, body: bytes) -> None:
        match what:
            case frames.BEGIN:
                self.wire = Wire(**json.loads(body))
                self.frames.put(number, frames.READY)
            case frames.ASK:
                task = self.under_way[number] = asyncio.create_task(self.send(number, body))
                task.add_done_callback(partial(self.sent, number))
            case frames.LEAVE if task := self.under_way.get(number):
                task.cancel()

    async def send(self, number: int, body: bytes) -> None:
        try:
            came = await self.wire.post(body)
        except self.wire.broken as fault:
            verdict = of_break(fault, 0)
            self.frames.put(number, frames.BROKEN, verdict.name.encode(), verdict.said.encode("utf-8", "replace"))
        else:
            self.frames.put(number, came.status, orjson.dumps(came.headers), came.body)

    def sent(self, number: int, task: asyncio.Task[None]) -> None:
        """What no endpoint is to blame for is raised where the request came from."""
        del self.under_way[number]
        if not task.cancelled() and (fault := task.exception()):
            self.frames.put(number, frames.FAILED, body=repr(fault).encode("utf-8", "replace"))


async def main() -> None:
    with socket.socket(fileno=0) as line, calm():
        await Sender().run(line)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which then closes the socket
    asyncio.run(main())
