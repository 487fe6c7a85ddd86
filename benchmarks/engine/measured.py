"""What every client of the benchmark does alike: its arguments, the questions, and the one line of JSON that it prints.

Imports nothing but the standard library: each client runs in its own environment. What is measured begins when its
packages are imported and ends when it holds every answer, on disk too where it has a place for them.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

MODEL = "measured"
KEY = "none"
TIMEOUT = 5  # seconds; the slowest answer that is none of the faults takes about two
RETRIES = 8
MAX_TOKENS = 512
FILLER = {0: "How long does bread keep, and where is it best kept? ", 1: "面包能放多久，放在哪里最好？说说你的理由。"}


@dataclass(frozen=True)
class Given:
    """What a client is told: where to ask, how many questions, how many at once, and a folder that outlives it."""

    url: str
    calls: int
    in_flight: int
    cache: Path

    @property
    def questions(self) -> list[str]:
        return [question(n) for n in range(self.calls)]


def question(number: int) -> str:
    """One question in English, the next in Chinese; each with its own number."""
    return f"{number}: {FILLER[number % 2] * (8 if number % 2 == 0 else 16)}"


def answer(asked: str) -> str:
    """The answer to a question, about 1,000 characters, with its number first."""
    number = asked.partition(":")[0]
    return f"{number}: {FILLER[int(number) % 2] * (20 if int(number) % 2 == 0 else 45)}"


def body(asked: str) -> dict[str, object]:
    """The request, for those who write it by hand."""
    return {"model": MODEL, "messages": [{"role": "user", "content": asked}], "max_tokens": MAX_TOKENS}


def measured(client: Callable[[Given], Sequence[str | None]]) -> None:
    """Run a client on the command line. It gives an answer for each question in their order, None where it has none."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    given = Given(**vars(parser.parse_args()))
    given.cache.mkdir(parents=True, exist_ok=True)
    cpu, began = cpu_seconds(), time.monotonic()
    answers = client(given)
    wall, cpu = time.monotonic() - began, cpu_seconds() - cpu
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak(), **judged(given, answers)}), file=sys.stdout, flush=True)


def judged(given: Given, answers: Sequence[str | None]) -> dict[str, int]:
    """How many answers belong to their questions, are passed as good without a word, or are not there."""
    padded = [*answers, *[None] * (given.calls - len(answers))][: given.calls]
    ok = sum(bool(a) and a == answer(q) for a, q in zip(padded, given.questions, strict=True))
    empty = sum(a is not None and not a.strip() for a in padded)
    return {"ok": ok, "empty": empty, "lost": given.calls - ok - empty}


def cpu_seconds() -> float:
    """Of this process and of the children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def peak() -> float:
    """MiB: the peak of this process and that of its largest child."""
    both = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(both) / (2**20 if sys.platform == "darwin" else 1024)
