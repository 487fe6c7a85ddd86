"""The page at the end of a run."""

from __future__ import annotations

from typing import Any

import pytest

from flows.commands.ending import summary
from flows.report import Report


def stage(name: str, passed: int | None, **noted: int) -> dict[str, Any]:
    return {"stage": name, "passed": passed, "noted": noted}


def test_what_techniques_counted_beside_their_rows_stands_in_it() -> None:
    links = [stage("alpaca", 0, ill_formed_task=12), stage("rejection_sampling", 3, same_way=2, wrong_calculation=1)]
    others = [stage("prompts", None, pairs=99), stage("small_model_answers", 4, follows_percent=97)]
    said = summary(Report("published", "mine", stages=[*links, *others])).splitlines()
    at = said.index("  also       12 ill formed task (alpaca)")
    assert said[at + 1 : at + 3] == [
        "              2 same way (rejection_sampling)",
        "              1 wrong calculation (rejection_sampling)",
    ]
    assert not any("percent" in line or "pairs" in line for line in said)


@pytest.mark.parametrize(("read", "next_one"), [(9, "refresh --source"), (0, "synthesize --recipe")])
def test_what_to_type_next_needs_logs_only_where_there_were_some(read: int, next_one: str) -> None:
    said = summary(Report("published", "mine", version="1.0.0", path="lake/mine", rows_read=read))
    assert next_one in said.partition("Next:")[2]


@pytest.mark.parametrize(
    ("ledger", "waited"),
    [
        ({"published": 8, "merged": 32}, []),
        ({"published": 8, "merged": 32, "seen": 40}, ["      +      40 that waited"]),
    ],
)
def test_the_states_add_up_to_what_was_read_and_what_waited(ledger: dict[str, int], waited: list[str]) -> None:
    lines = summary(Report("published", "mine", rows_read=40, ledger=ledger)).splitlines()
    at = lines.index("  in         40 log rows read")
    assert [line[: len("      +      40 that waited")] for line in lines if line.startswith("      +")] == waited
    counted = [int(line.split()[0]) for line in lines[at + 1 + len(waited) :] if line.strip()]
    assert sum(counted) == 40 + 40 * len(waited)


def test_rows_outside_the_window_are_told() -> None:
    said = summary(Report("nothing_new", "mine", rows_read=3, outside=7, ledger={"seen": 3}))
    assert "3 log rows read, 7 outside --since and --until left alone" in said
