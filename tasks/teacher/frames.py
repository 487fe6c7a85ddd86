"""What a run and its sender processes say to each other: frames over a socket, as many in a write as there are.

A frame is the number of a request, what it is, and two strings of bytes; nothing in it is ever more than data.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

BEGIN, ASK, LEAVE = range(3)  # to a sender: its endpoint, as JSON; a request's body; nobody waits for it any more
READY, BROKEN, FAILED = range(3)  # from a sender; any other figure is the status of a reply, with headers and body
LENGTHS = struct.Struct("!IHII")
Got = Callable[[int, int, bytes, bytes], object]


class Frames(asyncio.Protocol):
    """One end. `got` is told of each frame that comes; `lost`, once, that no more will."""

    def __init__(self, got: Got, lost: Callable[[], object]) -> None:
        self.got, self.lost = got, lost
        self.transport: asyncio.Transport | None = None
        self.held = bytearray()
        self.out: list[bytes] = []

    def put(self, number: int, what: int, head: bytes = b"", body: bytes = b"") -> None:
        """Send a frame, at the end of this turn of the loop, with all others of the turn."""
        if not self.out:
            asyncio.get_running_loop().call_soon(self.flush)
        self.out += LENGTHS.pack(number, what, len(head), len(body)), head, body

    def flush(self) -> None:
        if self.transport and self.out:
            self.transport.write(b"".join(self.out))
            self.out.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # pyright: ignore[reportAttributeAccessIssue]
        self.flush()

    def data_received(self, data: bytes) -> None:
        self.held += data
        at, held, end = 0, len(self.held), LENGTHS.size
        while end <= held:
            number, what, head, body = LENGTHS.unpack_from(self.held, at)
            middle, end = end + head, end + head + body
            if end > held:
                break
            self.got(number, what, bytes(self.held[middle - head : middle]), bytes(self.held[middle:end]))
            at, end = end, end + LENGTHS.size
        del self.held[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.lost()
