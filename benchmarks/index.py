"""A week's prompts against a long history: what the index on disk costs (`make bench`; `--history 4000000` for years).

The prompts are made up, 300 characters of words or of Chinese; one in ten of the new ones is an old one with an edit,
one in ten another new one. Each history is written as it would be, an increment for each week, then a process of its
own runs the week. Seconds are CPU time. Memory is growth over the prompts themselves: of its own, and at its peak with
what is mapped of the files, which the system takes back when it needs it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from random import Random

from tasks.history.asked import Asked, segment
from tasks.history.fresh import Fresh
from tasks.history.past import Neighbours, Past
from tasks.shard import Shard, write

HAN = [chr(c) for c in range(0x4E00, 0x4E00 + 3000)]
THRESHOLD = 0.7


def said(seed: int) -> str:
    """The text with this number: the same whenever it is asked for."""
    dice = Random(seed)
    if dice.random() < 1 / 3:
        return "".join(dice.choices(HAN, k=150))
    return " ".join(f"{dice.getrandbits(22):x}" for _ in range(45))


def asked(text: str, number: int) -> Asked:
    known = {"conversation": f"c-{number}", "answer": f"answer {number}", "row_id": f"r-{number}"}
    return Asked(f"p-{number:024d}", "", text, text, **known, fate="published", side="train")


def history(folder: Path, rows: int, week: int) -> list[Shard]:
    starts = range(0, rows, week)
    made = (segment([asked(said(n), n) for n in range(s, min(s + week, rows))]) for s in starts)
    return [write(table, folder / f"{i:05d}.parquet") for i, table in enumerate(made)]


def new(rows: int, week: int) -> list[Asked]:
    dice = Random(-1)
    texts = [said(rows + n) for n in range(week)]
    for n in range(week // 5):
        text = said(dice.randrange(rows)) if n % 2 else texts[dice.randrange(week // 5, week)]
        texts[n] = text.replace(text[40], "", 1)
    dice.shuffle(texts)
    return [asked(t, rows + n) for n, t in enumerate(texts)]


def memory(field: str) -> float:
    """A line of /proc/self/status in GB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1e6


def index(segments: list[Shard], folder: Path, rows: int, week: int) -> None:
    began = time.process_time()
    assert Past(tuple(segments), folder).indexes
    spent = time.process_time() - began
    print(f"index of {rows:,} prompts, once: {spent:.1f} s, {rows / spent:,.0f} rows/s, {size(folder):.2f} GB on disk")


def size(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.iterdir()) / 1e9


def weekly(segments: list[Shard], folder: Path, rows: int, week: int) -> None:
    given = new(rows, week)
    Neighbours(Past(), Fresh.of(given[:10]), THRESHOLD)  # what is made once
    own, peak = memory("RssAnon"), memory("VmHWM")
    began = time.process_time()
    near = Neighbours(Past(tuple(segments), folder), Fresh.of(given), THRESHOLD)
    kept = sum(near.keep(i) >= 0 for i in range(week) if not near.of(i))
    spent = time.process_time() - began
    own, peak = memory("RssAnon") - own, memory("VmHWM") - peak
    print(f"a week of {week:,} against it: {spent:.1f} s, {week / spent:,.0f} rows/s")
    print(f"  memory: {own:.2f} GB of its own, at its peak {peak:.2f} GB with what is mapped")
    print(f"  {week - kept:,} fell to another, {week // 5:,} were edited; {near.compared:,} pairs were compared")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", type=int, default=500_000, help="Prompts that were asked before.")
    parser.add_argument("--week", type=int, default=100_000, help="Prompts of a week.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="index-") as folder:
        segments = history(Path(folder) / "asked", given.history, given.week)
        for work in (index, weekly):  # each in a process of its own, so that its memory is its own
            measured = get_context("spawn").Process(
                target=work, args=(segments, Path(folder) / "index", given.history, given.week)
            )
            measured.start()
            measured.join()


if __name__ == "__main__":
    main()
