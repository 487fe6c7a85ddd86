"""How often each row check objects to real answers, and to the same after damage: `python -m benchmarks.row_checks`.

Answers of real models, and Chinese ones that people wrote, lie beside the project. On them as they are a check should
seldom object; what it does object to is often truly wrong, so the share is a bound on false alarms, not their number.
The damaged ones are the same answers, each broken in one way that a check is there for: cut off at a random place,
a bracket taken out of its code, a fence left open, Chinese marks made half-width. `--show CHECK` prints what it said.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

from tasks.fences import blocks
from tasks.gate.rows import checks
from tasks.gate.rows.row import Row
from tasks.language import detect
from tasks.text import CJK, units

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TEACHER = SHARED / "teacher_answers.jsonl.gz"
PEOPLE = SHARED / "judge" / "pair_oasst_human_zh.jsonl"
LANGUAGES = ("en", "zh")
LONG = 120
HALF = str.maketrans("，。；：！？", ",.;:!?")
Damage = Callable[[Row, Random], str | None]


def rows() -> Iterator[Row]:
    """English answers of models, Chinese ones of people: the better of each pair."""
    with gzip.open(TEACHER, "rt", encoding="utf-8") as lines:
        for plain in map(json.loads, lines):
            yield row(plain["prompt"], plain["answer"], "en")
    best = {}  # the winner of a pair stands first; one question may stand in several pairs
    for plain in map(json.loads, PEOPLE.read_text("utf-8").splitlines()):
        best.setdefault(plain["answer_a"], plain["instruction"])
    for answer, ask in best.items():
        yield row(ask, answer, "zh")


def row(ask: str, answer: str, language: str) -> Row:
    return Row(ask, ask, answer, detect(ask) if language == "en" else language, "", 5.0)


def cut(row: Row, chance: Random) -> str | None:
    """The answer up to a random place in its second half."""
    text = row.response
    return text[: chance.randrange(len(text) // 2, len(text) - 5)] if units(text) >= LONG else None


def unbracketed(row: Row, chance: Random) -> str | None:
    """The answer with one closing bracket of its code gone."""
    places = [i for b in blocks(row.response) if b.language for i in find_all(row.response, b.text)]
    return row.response[: (at := chance.choice(places))] + row.response[at + 1 :] if places else None


def find_all(text: str, part: str) -> list[int]:
    start = text.find(part)
    return [start + i for i, c in enumerate(part) if c in ")]}"] if start >= 0 else []


def unfenced(row: Row, chance: Random) -> str | None:
    head, mark, tail = row.response.rpartition("```")
    return head + tail if mark and row.response.count("```") % 2 == 0 else None


def half_width(row: Row, chance: Random) -> str | None:
    return row.response.translate(HALF) if row.language == "zh" and len(CJK.findall(row.response)) > LONG else None


DAMAGES: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "cut off": (cut, ("truncated", "broken_fence", "broken_code")),
    "a bracket gone": (unbracketed, ("broken_code",)),
    "a fence open": (unfenced, ("broken_fence",)),
    "half-width marks": (half_width, ("loose_punctuation",)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", metavar="CHECK", help="Print what this check said of the answers as they are.")
    given = parser.parse_args()
    if not TEACHER.is_file():
        raise SystemExit(f"no answers at {TEACHER}: they are no part of the repository")
    made = {name: check for name, check in checks(0.0, 0.5).items() if name != "low_score"}
    seen, hits, spent = Counter[str](), Counter[tuple[str, str]](), time.process_time()
    whole = list(rows())
    for one in whole:
        seen[one.language] += 1
        for name, check in made.items():
            if said := check(one):
                hits[name, one.language] += 1
                if name == given.show:
                    print(f"{said}\n    {one.response[-160:]!r}")
    spent = time.process_time() - spent
    total = sum(seen.values())
    print(f"{total} answers ({seen['en']} en, {seen['zh']} zh), {spent:.1f} s of CPU, {total / spent:.0f} rows/s\n")
    print("| check | en | zh |\n|---|---:|---:|")
    for name in made:
        print(f"| `{name}` | {' | '.join(shared(hits[name, la], seen[la]) for la in LANGUAGES)} |")
    print("\n| damage | found by | en | zh |\n|---|---|---:|---:|")
    for name, (damage, by) in DAMAGES.items():
        found, tried = Counter[str](), Counter[str]()
        for i, one in enumerate(whole):
            broken = damage(one, Random(i))
            if broken is None or any(made[n](one) for n in by):
                continue
            tried[one.language] += 1
            found[one.language] += any(made[n](replace(one, response=broken)) for n in by)
        cells = " | ".join(shared(found[la], tried[la]) for la in LANGUAGES)
        print(f"| {name} | {', '.join(f'`{n}`' for n in by)} | {cells} |")


def shared(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "–"


if __name__ == "__main__":
    main()
