import asyncio
from random import Random

import pytest

from tasks.recipe import Budget, Caps, Price
from tasks.teacher.budget import BudgetReached, Purse, cost
from tasks.teacher.count import Count

MOST = Count(1, 0, 100, 50, 0.5)


@pytest.mark.parametrize(
    ("caps", "spent", "named"),
    [
        (Budget(calls=3), Count(calls=3), "budget.calls of 3"),
        (Budget(calls=0), Count(), "budget.calls of 0"),
        (
            Budget(tokens=160),
            Count(tokens_in=4, tokens_out=7),
            "budget.tokens of 160 is reached: 11 spent, and a call may come to 150",
        ),
        (Budget(usd=1), Count(usd=0.51), "budget.usd of 1 is reached: 0.51 spent, and a call may come to 0.5"),
        (Budget(stages={"judge": Caps(calls=1)}), Count(calls=1), "budget.stages.judge.calls of 1"),
    ],
)
async def test_a_call_that_could_go_beyond_a_cap_is_not_made_and_the_cap_is_named(
    caps: Budget, spent: Count, named: str
) -> None:
    purse = Purse(caps)
    purse.begin({"judge": spent})
    with pytest.raises(BudgetReached, match=named), await purse.reserved("judge", MOST):
        raise AssertionError("no room, no call")
    assert purse.spent == Count()


async def test_a_cap_of_no_money_bears_calls_that_cost_none_and_no_other() -> None:
    purse, free = Purse(Budget(usd=0)), Count(1, 0, 100, 50, 0.0)
    purse.check("label")
    with await purse.reserved("label", free) as came_to:
        came_to.calls = 1
    with pytest.raises(BudgetReached, match=r"budget.usd of 0 is reached \(0 spent\)"):
        await purse.reserved("label", MOST)


async def test_what_is_not_capped_is_counted() -> None:
    for caps in (Budget(), Budget(calls=9, tokens=10_000, usd=90), Budget(stages={"label": Caps(calls=0)})):
        purse = Purse(caps)
        for _ in range(4):
            purse.check("judge")
            with await purse.reserved("judge", MOST) as came_to:
                came_to.calls = 1
        assert purse.spent == Count(calls=4)


async def test_a_call_waits_for_what_others_hold_and_may_not_use() -> None:
    purse = Purse(Budget(tokens=200))
    order = []

    async def one(name: str, uses: int) -> None:
        with await purse.reserved("", MOST) as came_to:
            order.append(name)
            await asyncio.sleep(0)
            came_to.settle(uses, 0, 0)

    await asyncio.gather(*(one(f"{i}", 20) for i in range(3)))
    assert order == ["0", "1", "2"]  # 150 held each: one after the other
    assert purse.spent.tokens == 60
    purse.run.spent += Count(tokens_in=1)
    with pytest.raises(BudgetReached):
        await one("61 and 150 are too many", 1)


async def test_a_cap_is_never_overshot_whatever_calls_come_to() -> None:
    chance = Random(1)
    purse = Purse(Budget(usd=10, stages={"answer": Caps(tokens=5_000)}))

    async def one(stage: str) -> None:
        with await purse.reserved(stage, MOST) as came_to:
            await asyncio.sleep(0)
            came_to.settle(chance.randint(1, 100), chance.randint(0, 50), chance.random() / 2)

    ends = await asyncio.gather(*(one(("answer", "judge")[i % 2]) for i in range(400)), return_exceptions=True)
    assert {type(e) for e in ends} == {type(None), BudgetReached}
    assert 9.5 <= purse.spent.usd <= 10
    assert purse.stages["answer"].spent.tokens <= 5_000
    assert purse.run.held == Count()


async def test_a_call_that_ends_in_a_fault_gives_back_what_it_held() -> None:
    purse = Purse(Budget(tokens=150))
    for _ in range(3):
        with pytest.raises(ValueError, match="no"), await purse.reserved("", MOST):
            raise ValueError("no")
    assert purse.spent == Count()


@pytest.mark.parametrize(
    ("price", "usd"),
    [(None, 0.0), (Price(input=2, output=8), 0.018), (Price(input=0, output=0), 0.0)],
)
def test_a_price_is_in_dollars_for_a_million_tokens(price: Price | None, usd: float) -> None:
    assert cost(1000, 2000, price) == pytest.approx(usd)


def test_counts_add_up() -> None:
    total = Count(1, 2, 3, 4, 0.5, 5, 6) + Count(10, 20, 30, 40, 0.25, 50, 60)
    assert total == Count(11, 22, 33, 44, 0.75, 55, 66)
    assert total.tokens == 77


def test_counts_are_taken_from_each_other() -> None:
    left = Count(11, 22, 33, 44, 0.75)
    left.take(Count(1, 0, 3, 4, 0.5))
    assert left == Count(10, 22, 30, 40, 0.25)
