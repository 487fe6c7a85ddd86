"""The page of a plan."""

from typing import Any

from flows.commands.planning import page

STAGE = {"calls": 1200, "hits": 34, "tokens_in": 5_600_000, "tokens_out": 78_000, "usd": 1.23456}
PLAN: dict[str, Any] = {
    "prompts": 600,
    **STAGE,
    "stages": {"label": STAGE, "answer": STAGE},
    "minutes": 0,
    "drawn": 600,
    "guessed": 0,
    "unpriced": [],
    "over": [],
    "spared": 0,
}


def test_a_plan_has_a_line_for_each_stage_and_one_for_all() -> None:
    lines = page(PLAN)
    assert lines[0].split() == ["600", "prompts", "to", "ask"]
    assert [line.split()[0] for line in lines if "1,200" in line] == ["label", "answer", "in"]
    assert "5,600,000" in lines[3]
    assert lines[3].endswith("1.2346")
    assert "note" not in "\n".join(lines)


def test_what_a_reader_must_know_stands_below_it() -> None:
    cap = "budget.usd of 1 will not do: this may come to 1.2"
    said = "\n".join(page(PLAN | {"drawn": 500, "guessed": 7, "minutes": 12.5, "over": [cap], "spared": 40}))
    for words in (
        cap,
        "500 of the prompts, and scaled",
        "7 calls are invented",
        "12.5 minutes at least",
        "40 answers are reckoned",
    ):
        assert words in said


def test_money_that_nobody_knows_is_no_zero() -> None:
    free = STAGE | {"usd": 0.0}
    said = page(PLAN | free | {"stages": {"label": free}, "unpriced": ["teacher.price"]})
    assert [line[-1] for line in said if "1,200" in line] == ["?", "?"]
    assert "set teacher.price" in said[-1]


def test_nothing_to_ask_is_said_in_a_line() -> None:
    assert [line.strip() for line in page({})] == ["0 prompts to ask"]
