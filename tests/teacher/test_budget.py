import pytest

from tasks.recipe import Budget, Price
from tasks.teacher.budget import BudgetReached, Purse, cost
from tasks.teacher.count import Count


@pytest.mark.parametrize(
    ("caps", "spent", "named"),
    [
        (Budget(calls=3), Count(calls=3), "budget.calls of 3"),
        (Budget(calls=0), Count(), "budget.calls of 0"),
        (Budget(tokens=10), Count(tokens_in=4, tokens_out=6), "budget.tokens of 10"),
        (Budget(usd=0.5), Count(usd=0.51), r"budget.usd of 0.5 is reached \(0.51 spent\)"),
    ],
)
def test_a_cap_that_is_reached_is_named_and_nothing_is_counted(caps: Budget, spent: Count, named: str) -> None:
    purse = Purse(caps, spent)
    before = purse.spent.calls
    with pytest.raises(BudgetReached, match=named):
        purse.reserve()
    assert purse.spent.calls == before


def test_below_its_caps_and_without_any_a_purse_counts_each_call() -> None:
    for caps in (Budget(), Budget(calls=5, tokens=1, usd=0.01)):
        purse = Purse(caps)
        for _ in range(4):
            purse.check()
            purse.reserve()
        assert purse.spent == Count(calls=4)


@pytest.mark.parametrize(
    ("price", "usd"),
    [(None, 0.0), (Price(input=2, output=8), 0.018), (Price(input=0, output=0), 0.0)],
)
def test_a_price_is_in_dollars_for_a_million_tokens(price: Price | None, usd: float) -> None:
    assert cost(1000, 2000, price) == pytest.approx(usd)


def test_counts_add_up() -> None:
    total = Count(1, 2, 3, 4, 0.5) + Count(10, 20, 30, 40, 0.25)
    assert total == Count(11, 22, 33, 44, 0.75)
    assert total.tokens == 77
