"""How well and how fast a small model learns labels: `python -m benchmarks.small_model`.

The prompts are the project's own seeds, each with the two-level task type that its author gave it. They are few and as
different from each other as could be, so this is the hard end: logs hold many prompts of one kind. Each is predicted
by a model that has not seen it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from random import Random

from tasks.label.small_model import FEWEST, Known, predicted_apart, threshold
from tasks.text import key

SEEDS = Path(__file__).resolve().parent.parent / "data" / "seeds"
CONFIDENCES = (0.5, 0.7, 0.9)


def seeds() -> list[Known]:
    rows = [json.loads(line) for file in sorted(SEEDS.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    Random(0).shuffle(rows)
    return [Known(key(f"{r['prompt']}\n{r['input']}"), f"{r['task_type']}/{r['subtype']}", "any") for r in rows]


def main() -> None:
    known = seeds()
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
