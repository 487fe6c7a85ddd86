"""How often our final answers agree with labels of right and wrong: `python -m benchmarks.final_answer`.

The labelled solutions, four models' to each question of a school maths test, lie beside the project. `--show` prints
where we differ from the label.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.answer.equations import equations, false
from tasks.answer.final_answer import right

MATHS = Path(__file__).resolve().parents[2] / "shared" / "data" / "maths"
MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A solution, the right one, and whether people say that both end alike."""

    model: str
    solution: str
    reference: str
    right: bool


def labelled() -> Iterator[Labelled]:
    for line in (MATHS / "gsm8k_model_solutions.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        for model in MODELS:
            yield Labelled(model, row[model]["solution"], row["ground_truth"], row[model]["is_correct"])


def agreement(rows: list[Labelled]) -> tuple[int, list[Labelled]]:
    """How many agree, and those that do not."""
    differ = [row for row in rows if right(row.solution, row.reference) != row.right]
    return len(rows) - len(differ), differ


def references() -> list[str]:
    """The right solutions of the same test, without their machine-readable equations."""
    return [json.loads(line)["answer"] for line in (MATHS / "gsm8k_test.jsonl").read_text("utf-8").splitlines()]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--show", action="store_true")
    show = asked.parse_args().show
    rows = list(labelled())
    agree, differ = agreement(rows)
    print(f"final answers: {agree} of {len(rows)} labels agreed with, {agree / len(rows):.2%}")
    for model in MODELS:
        own = [row for row in rows if row.model == model]
        same, _ = agreement(own)
        print(f"  {model:<18} {same:>5} of {len(own):>5}  {same / len(own):.2%}")
    right_ones = references()
    blamed = [text for text in right_ones if false(equations(text))]
    print(f"equations: {len(blamed)} of {len(right_ones)} right solutions blamed for a false one")
    if show:
        for row in differ:
            print("---", row.model, "label:", row.right, "| reference:", row.reference.splitlines()[-1])
            print(row.solution[-300:])
        for text in blamed:
            print("---", [e.text for e in equations(text) if not e.holds], text[-300:])


if __name__ == "__main__":
    main()
