"""What a sample of a large dataset takes in memory: `python -m benchmarks.large_sets [--megabytes 500]`.

A CSV of that size, half English and half Chinese, is made in a temporary folder; a thousand of its rows become prompts
through the template `classification`, whose labels are looked for in all rows. Prints the memory of the process before,
and the most that it had.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import resource
import sys
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, cast

from tasks.produce.datasets import Datasets
from tests.rows import HAN, WORDS

SAMPLE = 1000
LABELS = ("delivery", "refund", "质量")
ROWS = 5000  # that are written between two looks at the size


def made(file: Path, megabytes: int) -> Path:
    dice = Random(1)
    with file.open("w", encoding="utf-8", newline="") as out:
        write = csv.writer(out)
        write.writerow(("text", "label"))
        while out.tell() < megabytes * 2**20:
            for number in range(ROWS):
                text = "".join(dice.choices(HAN, k=160)) if number % 2 else " ".join(dice.choices(WORDS, k=70))
                write.writerow((text, dice.choice(LABELS)))
    return file


async def sampled(file: Path) -> int:
    step = Datasets((str(file),), template="classification", sample=SAMPLE)
    return sum([len(outcome.out) async for outcome in step([], cast(Any, None), Random(0))])


def peak() -> int:
    """The most memory that this process has had so far, in MB; the system counts in kB, or in bytes on a Mac."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=500)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        file = made(Path(folder) / "large.csv", given.megabytes)
        size, before, began = file.stat().st_size // 2**20, peak(), time.perf_counter()
        count = asyncio.run(sampled(file))
        print(
            f"{count} prompts of {size} MB in {time.perf_counter() - began:.0f} s: {before} MB before, {peak()} at most"
        )


if __name__ == "__main__":
    main()
