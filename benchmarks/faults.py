"""The call engine at a server that goes wrong (`python -m benchmarks.faults`): what is lost, paid twice, or late.

Each row is one run against the faults server in a process of its own, with latencies drawn from the question
(lognormal, 300 ms in the mean). Ideal is calls x mean latency / calls in flight: nothing goes wrong, nobody waits.

- well: nothing goes wrong;
- mixed: one question in twenty meets one of the faults in `MIXED` before it is answered;
- hangs: all goes well, but three of the last hundred questions take 8 s unless they are asked a second time;
- limit: the server bears 32 calls at once and turns away what goes beyond; the engine starts from 256.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import web

from tasks.teacher.engine import Engine
from tasks.teacher.outcomes import Reply
from tests import faults
from tests.engines import ask, engine_at
from tests.faults import Body, Call, Fault, FaultsServer, rate_limited, refused, same, texts

CALLS, MEAN, SPREAD = 2_000, 0.3, 0.5
EVERY = 20
BEARS, LONG, SETTLED = 32, 8.0, (24, 40)
LATE = frozenset({CALLS - 1, CALLS - 31, CALLS - 61})
MIXED = (
    *(refused(status) for status in (408, 409, 425, 500, 503)),
    faults.bad_gateway,
    faults.html,
    rate_limited(seconds=0.1),
    rate_limited(ms=50),
    rate_limited(),
    faults.reset,
    faults.reset_when_idle,
    faults.cut_body,
    faults.broken_json,
    faults.no_choices,
    faults.null_content,
    faults.empty_content,
    faults.no_usage,
    faults.hang,
)


class Slow(FaultsServer):
    """Answers after a time drawn from the question; what goes wrong goes wrong at once."""

    late: frozenset[int] = frozenset()

    async def respond(self, body: Body) -> web.StreamResponse:
        said = texts(body)[-1]
        first = number(said) in self.late and self.asked[same(body)] == 1
        await asyncio.sleep(LONG if first else Random(said).lognormvariate(math.log(MEAN) - SPREAD**2 / 2, SPREAD))
        return await super().respond(body)


def number(question: str) -> int:
    return int(question.rpartition(" ")[2])


def mixed(_: Slow, call: Call) -> Fault | None:
    nth, rest = divmod(number(call.prompt), EVERY)
    return MIXED[nth % len(MIXED)] if rest == 0 and call.nth == 0 else None


def limit(server: Slow, _: Call) -> Fault | None:
    return rate_limited() if server.in_flight > BEARS else None


def well(_: Slow, call: Call) -> Fault | None:
    return None


SCRIPTS = {"well": well, "mixed": mixed, "hangs": well, "limit": limit}


async def serve(name: str) -> None:
    """Print the address; when stdin ends, print what was counted."""
    server = Slow()
    server.script, server.late = partial(SCRIPTS[name], server), LATE if name == "hangs" else frozenset()
    async with server:
        print(server.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        counted = {"calls": len(server.calls), "paid_twice": server.paid_twice, "early": server.early}
        print(json.dumps(counted), flush=True)


@asynccontextmanager
async def served(name: str) -> AsyncIterator[tuple[str, dict[str, int]]]:
    """The address of a server in its own process, and what it counted once the block is left."""
    told = [sys.executable, "-m", "benchmarks.faults", "--serve", name]
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*told, stdin=pipe, stdout=pipe)
    assert child.stdout
    counted: dict[str, int] = {}
    try:
        yield (await child.stdout.readline()).decode().strip(), counted
    finally:
        out, _ = await child.communicate(b"")
    counted |= json.loads(out)


async def settling(engine: Engine, began: float) -> float:
    """Watch the limit until cancelled; gives when it was last away from what the server bears."""
    last = began
    try:
        while True:
            await asyncio.sleep(0.02)
            if not SETTLED[0] <= engine.limiter.slots.allowed <= SETTLED[1]:
                last = time.monotonic()
    except asyncio.CancelledError:
        return last - began


async def run(name: str, at_once: int, folder: Path, **endpoint: Any) -> dict[str, Any]:
    """One row: a fresh store, so many calls, and what the engine and the server say of them."""
    async with served(name) as (url, counted):
        # the recipe's own defaults but for the number in flight
        known: dict[str, Any] = {"timeout": 120, "attempts": 5, "max_in_flight": at_once, "backoff": 0.75, **endpoint}
        async with engine_at(url, folder, **known) as engine:
            began = time.monotonic()
            watch = asyncio.create_task(settling(engine, began))
            ends = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(CALLS)), return_exceptions=True)
            wall = time.monotonic() - began
            watch.cancel()
            settled, hedged = await watch, engine.pace.hedged
    ideal = CALLS * MEAN / (BEARS if name == "limit" else at_once)
    good = [e for e in ends if isinstance(e, Reply)]
    made = {"wall": wall, "ratio": wall / ideal, "lost": CALLS - len(good), "hedged": hedged, "settled": settled}
    return made | counted | {"empty": sum(not e.text for e in good)}


async def main() -> None:
    rows: list[tuple[str, int, dict[str, Any]]] = [("well", 64, {}), ("well", 256, {})]
    rows += [("mixed", 64, {}), ("mixed", 256, {}), ("hangs", 64, {"hedge": 0}), ("hangs", 64, {}), ("hangs", 256, {})]
    rows += [("limit", 256, {})]
    print(f"{CALLS:,} calls, {MEAN * 1000:.0f} ms in the mean")
    print("run            in flight  wall s  wall/ideal   lost  empty  paid twice  early  hedged  calls  settled s")
    for name, at_once, endpoint in rows:
        with TemporaryDirectory() as folder:
            got = await run(name, at_once, Path(folder), **endpoint)
        named = name + (" (no hedge)" if "hedge" in endpoint else "")
        print(
            f"{named:<16}{at_once:>8}{got['wall']:>8.1f}{got['ratio']:>12.2f}{got['lost']:>7}{got['empty']:>7}"
            f"{got['paid_twice']:>12}{got['early']:>7}{got['hedged']:>8}{got['calls']:>7}"
            + (f"{got['settled']:>11.1f}" if name == "limit" else ""),
            flush=True,
        )


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[2]) if "--serve" in sys.argv else main())
