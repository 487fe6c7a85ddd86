"""Near-duplicates: how fast signatures are beside datasketch, and how many pairs the bands find (`make bench`).

The texts are the samples' prompts and answers, in Chinese and English, each with a number of its own so that no two are
equal. Rates are rows for each second of CPU time, so that a shared machine does not matter much.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from datasketch import MinHash

from tasks.history.near import PERMUTATIONS, bands, jaccard, shingles, signatures
from tasks.text import key

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples" / "recorded.jsonl"
ROWS = 20_000
ROW_BY_ROW = 1_000


def texts(count: int) -> list[str]:
    rows = [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]
    said = [key(t) for row in rows for t in (row["turns"][-1], row["answer"])]
    return [f"{said[i % len(said)][:400]} {i}" for i in range(count)]


def datasketch_signatures(rows: Sequence[str]) -> np.ndarray:
    """What datasketch does as documented: one MinHash for each row, updated in one batch."""
    made = []
    for row in rows:
        one = MinHash(num_perm=PERMUTATIONS, seed=1)
        one.update_batch([s.encode() for s in shingles(row)])
        made.append(one.hashvalues)
    return np.array(made)


def rate(work: Callable[[Sequence[str]], Any], rows: Sequence[str]) -> float:
    work(rows[:100])
    began = time.process_time()
    work(rows)
    return len(rows) / (time.process_time() - began)


def recall(count: int) -> dict[float, tuple[int, int]]:
    """Of pairs of a text and an edited copy, by exact likeness in tenths: (found by the bands, all)."""
    dice, found = Random(0), dict[float, tuple[int, int]]()
    originals = texts(count)
    copies = [edited(text, dice.uniform(0.01, 0.2), dice) for text in originals]
    one, other = bands(originals), bands(copies)
    for i, (a, b) in enumerate(zip(originals, copies, strict=True)):
        tenth = int(jaccard(a, b) * 10) / 10
        hit, all_ = found.get(tenth, (0, 0))
        found[tenth] = (hit + bool((one[i] == other[i]).any()), all_ + 1)
    return found


def edited(text: str, rate: float, dice: Random) -> str:
    """The text with some characters left out."""
    return "".join(c for c in text if dice.random() > rate)


def main() -> None:
    rows = texts(ROWS)
    size = sum(map(len, rows)) / ROWS
    print(f"{ROWS} rows, {size:.0f} characters each, {PERMUTATIONS} permutations; rows per CPU second")
    print(f"signatures, all at once     {rate(signatures, rows):>9,.0f}")
    print(f"signatures and bands        {rate(bands, rows):>9,.0f}")
    print(f"datasketch, update_batch    {rate(datasketch_signatures, rows[:ROW_BY_ROW]):>9,.0f}")
    print("pairs of a text and an edited copy, by exact likeness: found by the bands")
    for tenth, (hit, all_) in sorted(recall(ROWS).items()):
        print(f"{tenth:.1f} to {tenth + 0.1:.1f}  {hit:>6} of {all_:>6}  {hit / all_:6.1%}")


if __name__ == "__main__":
    main()
