"""Pulling a large log: memory as growth over the start, and rows a second beside json.loads alone, the limit.

    python -m benchmarks.pull [gigabytes]

The log is generated in a temporary folder and deleted after. What is measured is the pull into shards, and what an
increment's ledger reads of them.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tasks.history.increment import Read
from tasks.pull.source import UNREADABLE, Pulled, pull
from tasks.pull.window import Window
from tasks.recipe import Source

WORDS = [
    "river",
    "borrow",
    "lantern",
    "天地玄黄",
    "宇宙洪荒",
    "copper",
    "window",
    "日月盈昃",
    "planet",
    "signal",
    "garden",
]
TURN = 60  # words


def rows(size: int) -> Iterator[str]:
    """Log lines of about 1 KiB, each with its own id and text, up to a size in bytes."""
    dice, written, number = Random(7), 0, 0
    while written < size:
        turns = [" ".join(dice.choices(WORDS, k=TURN)) for _ in range(2)]
        line = {"id": f"row-{number}", "created_at": 1772323200 + number, "user_id": f"u{number % 5000}"}
        line |= {"messages": [{"role": "user", "content": f"{number} {turns[0]}"}], "response": turns[1]}
        text = json.dumps(line, ensure_ascii=False) + "\n"
        written, number = written + len(text.encode()), number + 1
        yield text


def log(path: Path, size: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(rows(size))
    return path


def pulled(path: Path) -> Pulled:
    return pull(Source(uri=str(path)), Window(), frozenset(), path.with_suffix(".out"), 1000)


def limit(path: Path) -> float:
    """Seconds of CPU that json.loads alone takes for every line."""
    began = time.process_time()
    with path.open(encoding="utf-8") as file:
        for line in file:
            json.loads(line)
    return time.process_time() - began


def peak() -> int:
    """The most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else 1) * 2**30)
    with tempfile.TemporaryDirectory() as place:
        path = log(Path(place) / "log.jsonl", size)
        pulled(log(Path(place) / "small.jsonl", 2**20))
        start, began = peak(), time.process_time()
        done = pulled(path)
        seconds, after = time.process_time() - began, peak()
        users = Read(tuple(done.shards), UNREADABLE.empty_table()).users
        print(f"{len(users):,} rows, {size / 2**30:.2f} GiB")
        print(f"memory over the start   {after - start:,} MiB for the pull, {peak() - start:,} with the ledger's part")
        print(f"rows a second of CPU    {done.read / seconds:,.0f}; json.loads alone {done.read / limit(path):,.0f}")


if __name__ == "__main__":
    main()
