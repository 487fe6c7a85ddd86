"""One sender process, seen from the run: requests go in, replies or what went wrong come out, until it ends.

What comes out of it is what a Wire in the run itself would give or raise, so that nobody needs to know who sent it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from itertools import count
from ssl import SSLCertVerificationError
from tempfile import TemporaryFile
from typing import Any

import orjson

from tasks.recipe import PROJECT
from tasks.teacher import frames
from tasks.teacher.frames import Frames
from tasks.teacher.wire import SHORTEST_SECRET, Came, discreet

GRACE = 1.0  # seconds for a sender that has closed its socket to be gone


class Child:
    """One sender process, from its start to its end; `ended` says how it did. Its key comes over the socket: others
    may read a command line or an environment."""

    def __init__(self, wire: dict[str, Any]) -> None:
        self.key = wire["key"]
        self.waiting: dict[int, asyncio.Future[Came]] = {}
        self.numbers = count(1)
        self.answered, self.ended = False, ""
        loop = asyncio.get_running_loop()
        self.ready, self.gone = asyncio.Event(), asyncio.Event()
        self.frames = Frames(self.got, self.lost)
        self.frames.put(0, frames.BEGIN, body=json.dumps(wire).encode())
        self.errors = TemporaryFile()  # noqa: SIM115  closed with its last words
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = started(theirs, self.errors.fileno(), self.key)
        self.connected = loop.create_task(loop.create_connection(lambda: self.frames, sock=ours))

    async def post(self, body: bytes) -> Came:
        number = next(self.numbers)
        reply = self.waiting[number] = asyncio.get_running_loop().create_future()
        self.frames.put(number, frames.ASK, body=body)
        try:
            return await reply
        except asyncio.CancelledError:
            self.frames.put(number, frames.LEAVE)
            raise
        finally:
            del self.waiting[number]

    def got(self, number: int, what: int, head: bytes, body: bytes) -> None:
        if what == frames.READY:
            self.ready.set()
            return
        self.answered = True
        reply = self.waiting.get(number)
        if not reply or reply.done():
            return  # whoever waited has left meanwhile
        if what == frames.BROKEN:
            reply.set_exception(broken(head.decode(), body.decode()))
        elif what == frames.FAILED:
            reply.set_exception(RuntimeError(f"in a sender process: {discreet(body.decode(), self.key)}"))
        else:
            reply.set_result(Came(what, orjson.loads(head), body))

    def lost(self) -> None:
        """It has ended, or does: all that it had under way is as if the endpoint had reset it."""
        try:
            code = self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.ended = f"a sender process ended ({how(code, self.last_words())})"
        for reply in self.waiting.values():
            if not reply.done():
                reply.set_exception(ConnectionResetError(self.ended))
        self.ready.set()  # nobody is to wait for it
        self.gone.set()

    def last_words(self) -> str:
        with self.errors:
            self.errors.seek(0)
            said = self.errors.read().decode("utf-8", "replace")
        return next((line.strip() for line in reversed(discreet(said, self.key).split("\n")) if line.strip()), "")

    async def close(self) -> None:
        """End it; at once, as it holds nothing but connections."""
        self.process.kill()
        await self.gone.wait()


def started(line: socket.socket, errors: int, key: str) -> subprocess.Popen[bytes]:
    """A sender at the other end of a socket, without what holds its key in the environment. In a session of its own:
    Ctrl-C is for its parent, whose end is its own."""
    kept = {name: value for name, value in os.environ.items() if len(key) <= SHORTEST_SECRET or key not in value}
    return subprocess.Popen(
        [sys.executable, "-m", "tasks.teacher.sender"],
        stdin=line.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env=kept | {"PYTHONPATH": str(PROJECT)},
        start_new_session=True,
    )


def broken(name: str, said: str) -> OSError:
    """What `of_break` gives this name to."""
    if name == "bad_certificate":
        certificate = SSLCertVerificationError(said)
        certificate.verify_message = said
        return certificate
    return TimeoutError() if name == "timed_out" else ConnectionError(said)


def how(code: int, said: str) -> str:
    """How a process ended."""
    ended = signal.strsignal(-code) or f"signal {-code}" if code < 0 else f"exit status {code}"
    return f"{ended}: {said}" if said else ended
