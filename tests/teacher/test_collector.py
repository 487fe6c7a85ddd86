"""The collector's pace is the engine's while it works, and nobody's afterwards."""

from __future__ import annotations

import gc

import pytest

from tasks.teacher.collector import PACE, calm


class Cycle:
    """Something that only the collector frees."""

    alive = 0

    def __init__(self) -> None:
        self.itself = self
        type(self).alive += 1

    def __del__(self) -> None:
        type(self).alive -= 1


def test_the_collector_is_calm_within_the_block_and_as_it_was_after_it_however_it_ends() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    seen: list[tuple[tuple[int, int, int], bool]] = []

    def failing() -> None:
        seen.append((gc.get_threshold(), gc.get_freeze_count() > frozen))
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"), calm():
        failing()
    assert seen == [(PACE, True)]
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_what_is_cyclic_is_still_freed_while_calls_are_under_way() -> None:
    with calm():
        for _ in range(10 * PACE[0]):
            Cycle()
        assert Cycle.alive <= PACE[0]
    gc.collect()
    assert Cycle.alive == 0
