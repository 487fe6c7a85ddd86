"""ROUGE-L of a new instruction against 52,000 known ones, as many as Alpaca has, beside a plain LCS in Python.

The texts are made up of the words of our own seeds, a third in Chinese, as long as instructions are; one in ten of the
new ones is a known one with an edit. Times are CPU milliseconds for one new instruction: asked for a round at a time,
as the growing techniques do, and one by one. The plain LCS is the table of the textbook, on a part of the pairs, and
its likeness must be ours.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from random import Random
from typing import Any

from tasks.produce.rouge import Known, tokens
from tasks.produce.seeds import read_seeds

ROUND = 32  # instructions of one round: four calls for eight
CUTOFF = 0.7


def made_up(dice: Random, words: dict[str, list[str]]) -> str:
    language = "zh" if dice.random() < 1 / 3 else "en"
    return ("" if language == "zh" else " ").join(
        dice.choices(words[language], k=round(dice.lognormvariate(3, 0.5)) + 4)
    )


def edited(dice: Random, text: str) -> str:
    at = dice.randrange(len(text))
    return text[:at] + text[at + 3 :]


def plain(one: list[str], other: list[str]) -> float:
    """ROUGE-L F1 by the table of the textbook."""
    row = [0] * (len(other) + 1)
    for a in one:
        above = row[:]
        for j, b in enumerate(other, 1):
            row[j] = above[j - 1] + 1 if a == b else max(above[j], row[j - 1])
    return 2 * row[-1] / ((len(one) + len(other)) or 1)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this thread's process, and what came of it."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    reader.add_argument("--known", type=int, default=52_000)
    reader.add_argument("--new", type=int, default=20 * ROUND)
    reader.add_argument("--pairs", type=int, default=20_000, help="pairs for the plain LCS")
    told = reader.parse_args()
    dice = Random(7)
    words = {
        language: [t for seed in read_seeds(f"data/seeds/{language}.jsonl") for t in tokens(seed.prompt)]
        for language in ("en", "zh")
    }
    known = Known(CUTOFF)
    texts = [made_up(dice, words) for _ in range(told.known)]
    new = [edited(dice, dice.choice(texts)) if i % 10 == 0 else made_up(dice, words) for i in range(told.new)]
    put, _ = timed(lambda: known.add(texts))
    by_round, found = timed(lambda: [n for i in range(0, len(new), ROUND) for n in known.nearest(new[i : i + ROUND])])
    one_by_one, again = timed(lambda: [known.nearest([text])[0] for text in new[:ROUND]])
    assert again == found[:ROUND]
    pairs = [(dice.choice(new), dice.choice(texts)) for _ in range(told.pairs)]
    slow, _ = timed(lambda: [plain(tokens(a), tokens(b)) for a, b in pairs])
    near = [(text, like, twin) for text, (like, twin) in zip(new, found, strict=True) if twin]
    wrong = sum(abs(plain(tokens(text), tokens(twin)) - like) > 1e-4 for text, like, twin in near)
    print(f"{told.known:,} known instructions, taken in in {put:.1f} s of CPU")
    print(f"a round of {ROUND} at a time   {1e3 * by_round / len(new):8.2f} ms for each new instruction")
    print(f"one by one              {1e3 * one_by_one / ROUND:8.2f} ms")
    print(f"plain LCS in Python     {1e3 * slow / told.pairs * told.known:8.0f} ms (from {told.pairs:,} pairs)")
    print(f"{len(near)} of {len(new)} are like a known one by {CUTOFF} or more; {wrong} of these likenesses are wrong")


if __name__ == "__main__":
    main()
