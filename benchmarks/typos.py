"""How like real slips ours are: `python -m benchmarks.typos`.

SIGHAN 2015 (Tseng et al., Bake-off for Chinese Spelling Check) has sentences of people who learn Chinese, as they
were typed and as they should be; it lies beside the project and is no part of it. Its slips are characters put for
others, so of ours only homophones and similar shapes can be compared: by how they are like the right character (sound
in the same tone, in another, nearly; else shape; else neither), by how common the wrong character is, and how many
there are for 100 characters. `reachable` is the share of SIGHAN's slips that our model can make at all. For English
there is no such set here: what is printed are the shares of our own slips on the sample logs.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from tasks.produce.edit import applied
from tasks.produce.robust import Robust
from tasks.produce.typos_zh import everyday, homophones, read_shapes, sound
from tasks.produce.verbatim import free

PROJECT = Path(__file__).resolve().parents[1]
SIGHAN = PROJECT.parent / "shared" / "data" / "typos" / "sighan_2015_zh.json"
LOGS = PROJECT / "data" / "samples" / "logs.jsonl"
KINDS = ("same", "tone", "fuzzy", "shape", "neither")
CHARACTERS = ("homophone", "similar_shape")
Slip = tuple[str, str]  # the right character and the wrong one


def pairs() -> Iterator[tuple[str, str]]:
    """Each sentence as it should be, and as it was typed."""
    for plain in json.loads(SIGHAN.read_text("utf-8")):
        yield plain["correct_text"], plain["original_text"]


def theirs() -> list[Slip]:
    return [(r, w) for right, wrong in pairs() for r, w in zip(right, wrong, strict=True) if r != w]


def ours(step: Robust) -> list[Slip]:
    """What the model makes of the same sentences, without a cap on how many."""
    found: list[Slip] = []
    for number, (right, _) in enumerate(pairs()):
        edits = step.slips(right, free(right), "zh", Random(number))
        found += [(right[e.start], e.new) for e in edits if e.kind in CHARACTERS]
    return found


def likeness(slip: Slip, alike: dict[str, str]) -> str:
    right, wrong = slip
    return sound(right, wrong) or ("shape" if wrong in alike.get(right, "") else "neither")


def reachable(slip: Slip, alike: dict[str, str]) -> bool:
    right, wrong = slip
    return wrong in alike.get(right, "") or any(wrong in found for found in homophones(right).values())


def common(slips: Iterable[Slip], most: int) -> float:
    """The share of wrong characters among so many of the most common."""
    ranked = sorted(everyday(), key=lambda c: -everyday()[c])[:most]
    wrong = [w for _, w in slips]
    return sum(w in ranked for w in wrong) / len(wrong)


def english(step: Robust) -> Counter[str]:
    """How often each kind of slip is made on the English prompts of the sample logs."""
    kinds: Counter[str] = Counter()
    for number, line in enumerate(LOGS.read_text("utf-8").splitlines()):
        if line.startswith('{"id": "en') and line.endswith("}"):
            text = json.loads(line)["messages"][-1]["content"]
            made, edits = step.misspelled(text, "en", Random(number), {text})
            assert not edits or made == applied(text, edits)
            kinds.update(e.kind for e in edits)
    return kinds


def main() -> None:
    if not SIGHAN.is_file():
        raise SystemExit(f"no sentences at {SIGHAN}: they are no part of the repository")
    step = Robust()
    alike, characters = read_shapes(step.shapes), sum(len(right) for right, _ in pairs())
    sides = {"SIGHAN 2015": theirs(), "ours": ours(step)}
    print(f"| slips | {' | '.join(sides)} |\n|---|{'---:|' * len(sides)}")
    print(line("for 100 characters", (f"{100 * len(s) / characters:.1f}" for s in sides.values())))
    for kind in KINDS:
        of_kind = (sum(likeness(slip, alike) == kind for slip in s) / len(s) for s in sides.values())
        print(line(kind, (f"{share:.1%}" for share in of_kind)))
    for most in (500, 1000, 2000):
        print(line(f"among the {most} most common", (f"{common(s, most):.1%}" for s in sides.values())))
    print(line("reachable", (f"{sum(reachable(x, alike) for x in s) / len(s):.1%}" for s in sides.values())))
    kinds = english(step)
    print("\n| English slip | of all |\n|---|---:|")
    for kind, count in kinds.most_common():
        print(f"| {kind} | {count / kinds.total():.1%} |")


def line(name: str, cells: Iterable[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
