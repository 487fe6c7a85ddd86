"""The server that every client is measured against: an endpoint that takes its time, in a process of its own.

    python -m benchmarks.engine.server [--latency SECONDS] [--faults SHARE]

It prints its address. How long an answer takes (lognormal) and whether it goes wrong are drawn from the question and
from how often it was asked before, so that each client meets the same. `GET /counted` says what it counted.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import time
from functools import cache
from statistics import NormalDist

from aiohttp import web

from benchmarks.engine.measured import MODEL, answer, question
from tasks.teacher.protocol import completion, forever, texts
from tests import faults
from tests.faults import Body, Call, Fault, FaultsServer, same

SIGMA = 0.5  # one answer in ten takes half the mean or less, one in a hundred about three times the mean
STANDARD = NormalDist()
JSON = {"Content-Type": "application/json"}
MIXED = (
    faults.rate_limited(ms=100),  # for as long as an account is held that may make some hundred calls a minute
    faults.refused(500),
    faults.refused(503),
    faults.reset,
    faults.hang,
    faults.cut_body,
    faults.broken_json,
    faults.no_choices,
    faults.null_content,
    faults.empty_content,
)


class SlowServer(FaultsServer):
    """Answers after `mean` seconds on average; `share` of the requests go wrong, each of MIXED as often."""

    def __init__(self, mean: float, share: float) -> None:
        super().__init__(lambda body: answer(texts(body)[-1]), lambda call: drawn_fault(call, share), model=MODEL)
        self.mean = mean

    def routes(self) -> list[web.RouteDef]:
        return [*super().routes(), web.get("/v1/counted", self.counts)]

    async def replied(self, request: web.Request, call: Call) -> web.StreamResponse | None:
        if not call.body.get("messages"):
            return None  # such as asks for nothing but the limits in the headers; refused at once
        await asyncio.sleep(drawn_latency(call, self.mean))
        return await super().replied(request, call)

    async def respond(self, body: Body) -> web.StreamResponse:
        """A good answer, counted; its bytes are made once but for the number."""
        self.answered[same(body)] += 1
        number = texts(body)[-1].partition(":")[0]
        return web.Response(body=made(int(number) % 2).replace(b"NUMBER", number.encode()), headers=JSON)

    async def counts(self, _: web.Request) -> web.Response:
        told = {"calls": len(self.calls), "paid": self.answered.total(), "paid_twice": self.paid_twice}
        return web.json_response(told | {"most_in_flight": self.most_in_flight, "cpu": time.process_time()})


@cache
def made(odd: int) -> bytes:
    """The body of the answer to an even or odd question, with NUMBER for its number."""
    asked = question(odd)
    said = answer(asked).partition(":")[2]
    return json.dumps(completion(f"NUMBER:{said}", MODEL, asked)).encode()


def drawn(call: Call, what: str) -> float:
    """Between 0 and 1, the same for the same question and attempt."""
    text = f"{what} {call.nth} {call.prompt}".encode()
    return (int.from_bytes(hashlib.blake2b(text, digest_size=6).digest()) + 0.5) / 2**48


def drawn_latency(call: Call, mean: float) -> float:
    """Seconds, lognormal with this mean."""
    return mean and mean * math.exp(SIGMA * STANDARD.inv_cdf(drawn(call, "latency")) - SIGMA**2 / 2)


def drawn_fault(call: Call, share: float) -> Fault | None:
    at = drawn(call, "fault") if share else 1.0
    return MIXED[int(at / share * len(MIXED))] if at < share else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.3)
    parser.add_argument("--faults", type=float, default=0.0)
    given = parser.parse_args()
    asyncio.run(forever(SlowServer(given.latency, given.faults)))
