"""How well and how fast a small model learns labels: `python -m benchmarks.small_model`.

The prompts are the project's own seeds, each with the two-level task type that its author gave it. They are few and as
different from each other as could be, so this is the hard end: logs hold many prompts of one kind. Each is predicted
by a model that has not seen it.

The time is that of a thousand labels: seeds with their words in another order beside them, once of all their kinds and
once of a few. It is what a run takes to measure the model and to let it label as many prompts again.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from random import Random

from tasks.label.small_model import FEWEST, Known, guesses, predicted_apart, threshold
from tasks.text import key

SEEDS = Path(__file__).resolve().parent.parent / "data" / "seeds"
CONFIDENCES = (0.5, 0.7, 0.9)
LABELS = 1000
FEW = 4


def seeds() -> list[Known]:
    rows = [json.loads(line) for file in sorted(SEEDS.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    Random(0).shuffle(rows)
    return [Known(key(f"{r['prompt']}\n{r['input']}"), f"{r['task_type']}/{r['subtype']}", "any") for r in rows]


def reordered(known: list[Known], count: int) -> list[Known]:
    """So many prompts, each with the words of a seed, or its characters where it has no spaces, in another order."""
    dice, made = Random(1), list[Known]()
    for one in (known[i % len(known)] for i in range(count)):
        between = " " if one.text.count(" ") > len(one.text) / 12 else ""
        parts = one.text.split() if between else list(one.text)
        made.append(Known(between.join(dice.sample(parts, len(parts))), one.kind, one.kind.partition("/")[0]))
    return made


def timed(known: list[Known]) -> float:
    """Seconds of CPU time to measure a model on these labels and to label as many prompts."""
    began = time.process_time()
    list(predicted_apart(known))
    guesses(known, [k.text for k in known])
    return time.process_time() - began


def main() -> None:
    known = seeds()
    few = sorted({k.kind for k in known})[:FEW]
    for of in (known, [k for k in known if k.kind in few]):
        some = reordered(of, LABELS)
        print(f"{LABELS} labels of {len({k.kind for k in some})} kinds: {timed(some):.1f} s of CPU time")
    began = time.process_time()
    held_out = [(guess, label) for guess, label in predicted_apart(known)]
    seconds = time.process_time() - began
    both = [(guess, guess.kind == label.kind) for guess, label in held_out]
    first = sum(g.kind.partition("/")[0] == k.kind.partition("/")[0] for g, k in held_out)
    kinds = len({k.kind for k in known})
    print(f"{len(known)} labels of {kinds} kinds, five models in {seconds:.1f} s of CPU time")
    print(f"right in both levels {sum(r for _, r in both) / len(both):.1%}, in the first {first / len(both):.1%}")
    for confidence in CONFIDENCES:
        least = threshold(both, confidence)
        alone = sum(g.certainty >= least for g, _ in both) if least is not None else 0
        said = (
            f"{alone / len(both):.1%} labelled" if alone else f"none labelled (no {FEWEST} held-out ones are so sure)"
        )
        print(f"confidence {confidence:g}: {said}")


if __name__ == "__main__":
    main()
