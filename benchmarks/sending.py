"""What a call costs in the run's own process and in those that send for it: `python -m benchmarks.sending`.

The engine with its store asks the fast teacher of benchmarks/full_load, in a process of its own, with so many calls in
flight; first the run sends them itself, then senders do, again and again in turn, as others may use the machine too.
Each way is a process of its own. `run` is the CPU time of the asking process once its engine is there, `senders` that
of its senders with their start, both in milliseconds a call; `ratio` is wall time over the ideal, which is calls x mean
latency / in flight.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.full_load.__main__ import PROJECT, serving
from tasks.recipe import Endpoint, Price, Recipe
from tasks.teacher.budget import Purse
from tasks.teacher.collector import calm
from tasks.teacher.connect import engines
from tasks.teacher.count import Count

BODY = {"temperature": 0.0, "max_tokens": 1024}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[512])
    parser.add_argument("--latency", type=float, default=0.3, help="The teacher's, in seconds in the mean.")
    parser.add_argument("--senders", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.url:
        print(json.dumps(asyncio.run(asked(given.url, given.calls, given.in_flight[0], given.senders[0]))))
        return 0
    for in_flight in given.in_flight:
        rounds = [[once(given, in_flight, senders) for senders in given.senders] for _ in range(given.rounds)]
        for senders, taken in zip(given.senders, zip(*rounds, strict=True), strict=True):
            print(f"{in_flight} in flight, {senders} senders: {middle(taken)}", flush=True)
    return 0


def once(given: argparse.Namespace, in_flight: int, senders: int) -> dict[str, float]:
    """One way of sending, against a teacher that nobody asked yet."""
    with serving(given.latency) as url:
        told = {"url": url, "calls": given.calls, "in-flight": in_flight, "senders": senders}
        command = [sys.executable, "-m", "benchmarks.sending", *(f"--{k}={v}" for k, v in told.items())]
        taken = json.loads(subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE).stdout)
    wall = taken.pop("wall")
    ratio = wall * in_flight / given.calls / given.latency
    return {name: 1e3 * cpu / given.calls for name, cpu in taken.items()} | {"ratio": ratio}


def middle(taken: tuple[dict[str, float], ...]) -> str:
    """The median of each figure, with the least and the most."""
    columns = {name: sorted(one[name] for one in taken) for name in taken[0]}
    return "  ".join(f"{n} {statistics.median(v):.3f} ({v[0]:.3f}-{v[-1]:.3f})" for n, v in columns.items())


async def asked(url: str, calls: int, in_flight: int, senders: int) -> dict[str, float]:
    """Seconds of wall and of CPU, of this process while it asks and of those that it started."""
    price = Price(input=1, output=2)  # what it costs is counted, and no table of prices loaded
    endpoint = Endpoint(model="loaded", base_url=url, max_in_flight=in_flight, senders=senders, price=price)
    os.environ[endpoint.api_key_env] = "loopback"
    with tempfile.TemporaryDirectory() as folder:
        async with engines(Recipe(teacher=endpoint), Path(folder) / "calls.sqlite", Purse(), "run") as made:
            cpu, began = time.process_time(), time.monotonic()
            with calm():
                await asyncio.gather(
                    *(made["teacher"].call(body(n), 0, Count(), "answer", str(n)) for n in range(calls))
                )
            wall, cpu = time.monotonic() - began, time.process_time() - cpu
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": wall, "run": cpu, "senders": ended.ru_utime + ended.ru_stime}


def body(number: int) -> dict[str, object]:
    asked = f"{number}: How long does bread keep, and where is it best kept? 面包能放多久？" * 4
    return {"messages": [{"role": "user", "content": asked}], **BODY}


if __name__ == "__main__":
    sys.exit(main())
