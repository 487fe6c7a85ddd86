"""What the finder of personal data finds, and what it takes for such: `python -m benchmarks.personal_data`.

Recall: of the gold spans of a type, those that the finder's spans cover whole, of whatever type, since what is covered
does not leave the machine. Precision: of the finder's spans of a type, those that overlap a gold span that the type may
stand for. Two sets: `data/personal_data_zh.jsonl`, written for this (everything in it is made up; ids and cards only
satisfy their check digits), and presidio's synthetic English set where it lies beside the project. The rules were made
better by both; the Chinese texts marked `held_out` were written after that, harder on purpose, and no rule was changed
for them. `--misses` prints what was missed and what was found wrongly.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tasks.personal import KINDS, Span, find

PROJECT = Path(__file__).resolve().parent.parent
CHINESE = PROJECT / "data" / "personal_data_zh.jsonl"
PRESIDIO = PROJECT.parent / "shared" / "data" / "pii" / "presidio_synth_v2.json"
TYPES = {
    "CREDIT_CARD": "BANK_CARD",
    "EMAIL_ADDRESS": "EMAIL",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "PHONE_NUMBER": "PHONE",
    "US_SSN": "SSN",
}
"""Presidio's type -> ours. Its other types (PERSON, DATE_TIME, ...) have no counterpart here."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text, its language and its gold spans; kinds that no rule finds keep their own names."""

    text: str
    language: str
    gold: tuple[Span, ...]


@dataclass(slots=True)
class Score:
    """Counts for each kind, and what went wrong, in words."""

    gold: Counter[str] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def recall(self, kind: str) -> float:
        return self.covered[kind] / self.gold[kind] if self.gold[kind] else 1.0

    def precision(self, kind: str) -> float:
        return self.right[kind] / self.made[kind] if self.made[kind] else 1.0


def chinese(held_out: bool = False, path: Path = CHINESE) -> list[Example]:
    """The texts that the rules were made by, or those that they never saw."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Example(row["text"], "zh", tuple(Span(s["start"], s["end"], s["kind"]) for s in row["spans"]))
        for row in rows
        if row["held_out"] == held_out
    ]


def presidio(path: Path = PRESIDIO) -> list[Example]:
    def span(given: dict) -> Span:
        kind = given["entity_type"]
        return Span(given["start_position"], given["end_position"], TYPES.get(kind, kind))

    rows = json.loads(path.read_text(encoding="utf-8"))
    return [Example(row["full_text"], "en", tuple(map(span, row["spans"]))) for row in rows]


def score(examples: Iterable[Example]) -> Score:
    total = Score()
    for one in examples:
        spans = find(one.text, one.language)
        hidden = {i for span in spans for i in range(span.start, span.end)}
        for gold in one.gold:
            covered = hidden.issuperset(i for i in range(gold.start, gold.end) if not one.text[i].isspace())
            total.gold[gold.kind] += 1
            total.covered[gold.kind] += covered
            if not covered:
                total.faults.append(f"missed {gold.kind}: {one.text[gold.start : gold.end]!r} in {one.text!r}")
        for span in spans:
            right = any(g.kind == span.kind and g.start < span.end and span.start < g.end for g in one.gold)
            total.made[span.kind] += 1
            total.right[span.kind] += right
            if not right:
                total.faults.append(f"wrong {span.kind}: {one.text[span.start : span.end]!r} in {one.text!r}")
    return total


def table(total: Score, unfindable: Sequence[str]) -> str:
    """A line for each type, then what no rule finds, by how much of it is covered all the same."""
    kinds = sorted((total.gold.keys() | total.made.keys()) - set(unfindable))
    lines = [f"{'type':<14}{'gold':>6}{'recall':>9}{'found':>7}{'precision':>11}"]
    for kind in kinds:
        recall = f"{total.recall(kind):.3f}" if total.gold[kind] else "-"
        precision = f"{total.precision(kind):.3f}" if total.made[kind] else "-"
        lines.append(f"{kind:<14}{total.gold[kind]:>6}{recall:>9}{total.made[kind]:>7}{precision:>11}")
    gold, covered = (sum(c[k] for k in kinds) for c in (total.gold, total.covered))
    made, right = (sum(c[k] for k in kinds) for c in (total.made, total.right))
    lines.append(f"{'all':<14}{gold:>6}{covered / gold:>9.3f}{made:>7}{right / made:>11.3f}")
    apart = ", ".join(f"{kind} {total.gold[kind]}" for kind in sorted(unfindable))
    return "\n".join([*lines, f"no rule finds: {apart}"])


def report(name: str, examples: Sequence[Example], findable: Iterable[str], misses: bool) -> None:
    total = score(examples)
    negatives = sum(not one.gold for one in examples)
    print(f"\n{name}: {len(examples)} texts, {negatives} of them with no personal data")
    print(table(total, sorted(total.gold.keys() - set(findable))))
    if misses:
        apart = tuple(f"missed {kind}:" for kind in total.gold.keys() - set(findable))
        print("\n".join(f"  {fault}" for fault in total.faults if not fault.startswith(apart)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="Print what was missed and what was found wrongly.")
    given = parser.parse_args()
    report("Chinese, written here", chinese(), KINDS, given.misses)
    report("Chinese, held out", chinese(held_out=True), KINDS, given.misses)
    if PRESIDIO.is_file():
        report("English, presidio's synthetic set", presidio(), KINDS, given.misses)
    else:
        print(f"\nPresidio's set is skipped: it is not at ../{PRESIDIO.relative_to(PROJECT.parent)}")


if __name__ == "__main__":
    main()
