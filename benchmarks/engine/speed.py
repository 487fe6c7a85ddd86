"""How many calls a second the server itself takes: it must not be what holds the clients back.

    python -m benchmarks.engine.speed

A server without latency on one core, and requests written by hand on 64 and 256 connections.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from benchmarks.engine.measured import body, question
from benchmarks.engine.runs import serving

CALLS = 10_000
HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


async def ask(port: int, numbers: Iterator[int]) -> None:
    """One connection that asks until there is nothing left to ask."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        asked = json.dumps(body(question(number))).encode()
        writer.write(HEAD % len(asked) + asked)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
    writer.close()


async def loaded(port: int, connections: int, calls: int) -> None:
    numbers = iter(range(calls))
    await asyncio.gather(*(ask(port, numbers) for _ in range(connections)))


def speed(connections: int, calls: int = CALLS) -> dict[str, float]:
    """Calls a second on so many connections: by the clock, and by the CPU seconds that the server used."""
    with serving(latency=0.0) as server:
        cpu, began = server.counted()["cpu"], time.monotonic()
        asyncio.run(loaded(urlsplit(server.url).port or 0, connections, calls))
        wall = time.monotonic() - began
        return {"a second": calls / wall, "a CPU second": calls / (server.counted()["cpu"] - cpu)}


if __name__ == "__main__":
    for connections in (64, 256):
        print(f"{connections} connections: " + ", ".join(f"{v:,.0f} calls {k}" for k, v in speed(connections).items()))
