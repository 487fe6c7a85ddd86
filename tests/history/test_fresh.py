"""What is asked now, on disk: the same prompts, in whatever order."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from tasks.history.asked import Asked, near_keys, segment
from tasks.history.fresh import AHEAD, Fresh
from tests.rows import HOSTILE, answered, ask, said


def prompts(count: int) -> list[Asked]:
    dice = Random(3)
    made = [Asked.of(answered(ask(said(dice, 6), i, conversation=f"c-{i}"), said(dice, 5))) for i in range(count)]
    return [*made, *(Asked.of(ask(text, tags=("robust",))) for text in HOSTILE)]


@pytest.mark.parametrize("on_disk", [True, False])
def test_prompts_are_the_same_one_by_one_in_passing_and_in_another_order(tmp_path: Path, on_disk: bool):
    made, dice = prompts(2 * AHEAD + 7), Random(5)
    order = dice.sample(range(len(made)), len(made))
    fresh = Fresh.of(iter(made), tmp_path if on_disk else None).ordered(order)
    assert list(fresh) == [made[n] for n in order]
    for number in dice.choices(range(len(made)), k=50):
        assert fresh[number] == made[order[number]]
    assert len(fresh) == len(made)
    with pytest.raises(IndexError):
        fresh[len(made)]


def test_its_keys_are_those_of_the_prompts_in_their_order():
    made = prompts(20)
    order = list(range(len(made)))[::-1]
    assert np.array_equal(Fresh.of(made).ordered(order).keys, near_keys(segment(made[::-1])))
    assert Fresh.of([]).keys.shape == near_keys(segment([])).shape
