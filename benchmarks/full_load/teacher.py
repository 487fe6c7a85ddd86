"""A teacher that is fast enough to leave the machine to its client, in a process of its own.

It speaks as much HTTP as the engine's client does, answers after a lognormal while, and never goes wrong: faults are
for tests/faults.py. GET /figures says what it saw. Each answer follows from the question, so that runs are equal.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import time
from collections import Counter
from random import Random
from typing import Any

from benchmarks.full_load.log import sentences
from tasks.taxonomy import Taxonomy
from tasks.teacher.protocol import asked_schema, texts
from tasks.text import CJK

MODEL = "loaded"
SIGMA = 0.5  # of the lognormal: p99 is about 2.8 times the mean
ENGLISH, CHINESE = 22, 30  # sentences of about 2 KB
TAXONOMY = "data/taxonomy.yaml"


class Seen:
    """What the teacher counts: requests, answers, and those beyond the first to one and the same request."""

    def __init__(self) -> None:
        self.asked: Counter[bytes] = Counter()
        self.answered: Counter[bytes] = Counter()
        self.in_flight = self.most = 0

    def plain(self) -> dict[str, Any]:
        """`asked_twice` also counts what was in flight when its client was killed: a provider may bill it."""
        return {
            "calls": self.answered.total(),
            "answered_twice": self.answered.total() - len(self.answered),
            "asked_twice": self.asked.total() - len(self.asked),
            "most_in_flight": self.most,
            "cpu": time.process_time(),
        }


class Line(asyncio.Protocol):
    """One connection: one request at a time, as HTTP/1.1 without pipelining has it."""

    def __init__(self, seen: Seen, latency: float) -> None:
        self.seen, self.latency, self.chance = seen, latency, Random()
        self.mean = math.log(latency) - SIGMA**2 / 2 if latency else 0.0
        self.held = b""
        self.transport: asyncio.Transport
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # pyright: ignore[reportAttributeAccessIssue]

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer:
            self.timer.cancel()
            self.seen.in_flight -= 1

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, end, body = self.held.partition(b"\r\n\r\n")
        if not end or len(body) < length(head):
            return
        self.held = b""
        if head.startswith(b"GET"):
            self.say(json.dumps(self.seen.plain()).encode())
        else:
            self.asked(body)

    def asked(self, body: bytes) -> None:
        """Take a question, and answer it after its while."""
        digest = hashlib.sha256(body).digest()
        self.seen.asked[digest] += 1
        self.seen.in_flight += 1
        self.seen.most = max(self.seen.most, self.seen.in_flight)
        wait = self.chance.lognormvariate(self.mean, SIGMA) if self.latency else 0.0
        self.timer = asyncio.get_running_loop().call_later(wait, self.answer, body, digest)

    def answer(self, body: bytes, digest: bytes) -> None:
        self.timer = None
        self.seen.in_flight -= 1
        self.seen.answered[digest] += 1
        self.say(reply(body, Random(digest)))

    def say(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


def length(head: bytes) -> int:
    """What the head says of the body's length; 0 where it says nothing."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def reply(raw: bytes, chance: Random) -> bytes:
    """The completion that a request gets."""
    body = json.loads(raw)
    asked = texts(body)[-1]
    match asked_schema(body):
        case "labelled":
            types, domains = KINDS
            text = json.dumps({"task_type": chance.choice(types), "domain": chance.choice(domains)})
        case "verdict":
            text = json.dumps({"reason": "It says what was asked for.", "harmless": True, "score": 5.0})
        case _:
            chinese = bool(CJK.search(asked))
            text = sentences(chance, chinese, CHINESE if chinese else ENGLISH)
    said = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop", "index": 0}
    usage = {"prompt_tokens": len(asked) // 3, "completion_tokens": len(text) // 3}
    return json.dumps({"model": MODEL, "choices": [said], "usage": usage}, ensure_ascii=False).encode()


def kinds() -> tuple[list[str], list[str]]:
    """Task types that are answered directly, and domains."""
    taxonomy = Taxonomy.read(TAXONOMY)
    direct = [k.name for k in taxonomy.types if k.name.partition("/")[0] not in ("mathematics", "reasoning")]
    return direct, [k.name for k in taxonomy.domains]


KINDS = kinds()


async def serve(latency: float) -> None:
    """Until the process is ended; prints the address."""
    seen = Seen()
    server = await asyncio.get_running_loop().create_server(lambda: Line(seen, latency), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.3, help="Mean, in seconds.")
    asyncio.run(serve(parser.parse_args().latency))
