"""Outcomes that balance, and chance that depends on nothing but its three names."""

from __future__ import annotations

import pytest

from tasks.step import Outcome, dice
from tests.rows import ask

ONE, TWO = ask("one"), ask("二")


@pytest.mark.parametrize(
    ("outcome", "balanced"),
    [
        (Outcome.keeping(ONE), True),
        (Outcome().dropping("too_short"), True),
        (Outcome.keeping(ONE).making(TWO), True),
        (Outcome().dropping("evolved").making(TWO).eliminating(TWO, "copied"), True),
        (Outcome(), False),
        (Outcome.keeping(ONE).dropping("too_short"), False),
        (Outcome(out=(ONE, TWO)), False),
    ],
)
def test_an_outcome_balances_when_every_record_ends_once(outcome: Outcome, balanced: bool) -> None:
    assert outcome.balanced is balanced


def test_what_was_made_and_what_was_dropped_stand_beside_each_other() -> None:
    outcome = Outcome.keeping(ONE).making(TWO).eliminating(TWO, "copied", "why")
    assert outcome.out == (ONE, TWO)
    assert [(d.reason, d.detail, d.record) for d in outcome.dropped] == [("copied", "why", TWO)]


def test_an_outcome_is_never_changed_in_place() -> None:
    before = Outcome.keeping(ONE)
    before.making(TWO)
    assert before == Outcome.keeping(ONE)


def test_chance_is_the_same_for_the_same_names_and_another_for_each_other() -> None:
    def drawn(*names: object) -> float:
        return dice(*names).random()  # type: ignore[arg-type]

    assert drawn(7, "evolve", "p-1") == drawn(7, "evolve", "p-1")
    assert len({drawn(7, "a", "p-1"), drawn(8, "a", "p-1"), drawn(7, "b", "p-1"), drawn(7, "a", "p-2")}) == 4


def test_a_record_that_no_chance_is_asked_for_is_not_drawn_for() -> None:
    lazy = dice(7, "evolve", "p-1")
    assert lazy.chance is None  # type: ignore[attr-defined]
    both = [lazy.random(), lazy.choice("甲乙丙"), lazy.sample(range(9), 3)]
    again = dice(7, "evolve", "p-1")
    assert both == [again.random(), again.choice("甲乙丙"), again.sample(range(9), 3)]
