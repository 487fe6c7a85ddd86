from collections import Counter
from itertools import count, islice
from random import Random

import pytest

from tasks.produce import long_context, multi_turn, rag, tool_use
from tasks.produce.rounds import dealt, in_turn, rounds
from tasks.produce.shelf import PRODUCE
from tasks.recipe import RecipeError
from tasks.record import Message, begun
from tasks.step import Outcome


async def begun_for(target: int | None, at_once: int, yields: list[int], each: int = 1, patience: int = 3) -> int:
    """How many items are begun until a target is reached, where items make so many rows, in a cycle."""
    started, rows = 0, 0

    async def make(number: int) -> Outcome:
        nonlocal started
        started += 1
        outcome = Outcome()
        for n in range(yields[number % len(yields)]):
            outcome = outcome.making(begun("x", (Message("user", f"{number}.{n}"),), "en"))
        return outcome

    async for _, made in rounds(count(), make, at_once, patience, target, each):
        rows += len(made.out) if isinstance(made, Outcome) else 0
        if target is not None and rows >= target:
            break
    return started


@pytest.mark.parametrize(
    ("target", "yields", "each", "started"),
    [(10, [1], 1, 10), (40, [1], 1, 40), (12, [4], 4, 3), (3, [1, 0], 1, 5), (1, [2], 1, 1)],
)
async def test_no_more_is_begun_than_a_target_is_short_of(
    target: int, yields: list[int], each: int, started: int
) -> None:
    assert await begun_for(target, 32, yields, each) == started


async def test_what_is_accepted_of_nothing_ends_after_so_many_items_however_small_the_rounds_are() -> None:
    assert await begun_for(1, 4, [0], patience=3) == 12
    assert await begun_for(None, 4, [0], patience=3) == 12


@pytest.mark.parametrize("many", [1, 2, 5, 7, 20, 101])
def test_names_are_dealt_by_their_shares_however_few_there_are(many: int) -> None:
    shares = {"a": 0.4, "b": 0.15, "c": 0.15, "d": 0.3, "never": 0.0}
    for seed in range(20):
        found = Counter(islice(dealt(shares, Random(seed)), many))
        assert all(abs(found[name] - share * many) <= 1 for name, share in shares.items())
        assert not found["never"]


def test_shares_need_not_come_to_one() -> None:
    assert Counter(islice(dealt({"a": 2, "b": 2}, Random(7)), 10)) == {"a": 5, "b": 5}


@pytest.mark.parametrize(
    ("technique", "shares"),
    [
        ("tool_use", tool_use.CASES),
        ("multi_turn", multi_turn.KINDS),
        ("rag", rag.CASES),
        ("long_context", long_context.KINDS),
    ],
)
def test_a_technique_with_no_share_at_all_says_so_before_anything_is_asked(
    technique: str, shares: tuple[str, ...]
) -> None:
    with pytest.raises(RecipeError, match=f"{', '.join(shares[:-1])} and {shares[-1]} one has to be more than 0"):
        PRODUCE.link({technique: dict.fromkeys(shares, 0.0)}, 0)


@pytest.mark.parametrize("technique", ["tool_use", "multi_turn", "rag_router"])
@pytest.mark.parametrize("target", [0, -3])
def test_a_target_of_nothing_is_refused(technique: str, target: int) -> None:
    with pytest.raises(RecipeError, match="target: Input should be greater than 0"):
        PRODUCE.link({technique: {"target": target}}, 0)


def test_things_come_again_after_all_have_come() -> None:
    found = list(islice(in_turn("abc", Random(7)), 7))
    assert sorted(found[:3]) == sorted(found[3:6]) == ["a", "b", "c"]
    assert list(in_turn("", Random(7))) == []
