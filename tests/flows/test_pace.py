"""How far a stage is and how fast, in figures and in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from flows.pace import Figures, Pace, details, line, moved, spoken
from tasks.teacher.count import Asked, Count
from tasks.teacher.sight import Sight


@dataclass
class Stage:
    """A stage of 100 rows whose seconds, rows and calls the test tells."""

    seconds: float = 0.0
    done: int = 0
    asked: Asked = field(default_factory=Asked)

    def pace(self) -> Pace:
        look: Callable[[], Sight] = lambda: Sight(self.asked, most=8, allowed=8)  # noqa: E731
        return Pace("answer", lambda: 100, lambda: self.done, look, lambda: self.seconds)

    def at(self, pace: Pace, seconds: float, done: int, calls: int = 0, hits: int = 0) -> Figures:
        self.seconds, self.done = seconds, done
        self.asked = Asked(Count(calls, hits, usd=calls * 0.01), calls)
        return pace.now()


def test_calls_are_counted_over_the_last_seconds_and_the_forecast_is_what_rows_cost_so_far() -> None:
    stage = Stage()
    pace = stage.pace()
    for second in range(1, 21):
        stage.at(pace, second, 0, calls=second)
    for second in range(21, 30):
        stage.at(pace, second, 2 * (second - 20), calls=20 + 5 * (second - 20))
    now = stage.at(pace, 30, 20, calls=70)
    assert now.calls == 5
    assert now.forecast == pytest.approx(0.7 + 0.7 / 20 * 80)
    assert now.left == pytest.approx(80 / now.rate)


def test_rows_that_an_earlier_try_left_are_no_pace_and_cost_nothing_in_the_forecast() -> None:
    stage = Stage()
    pace = stage.pace()
    stage.at(pace, 1, 60)
    stage.at(pace, 2, 60)
    now = stage.at(pace, 12, 70, calls=10)
    assert now.rate == 1
    assert now.forecast == pytest.approx(0.1 + 0.01 * 30)
    assert now.left == 30


def test_a_stage_answered_from_the_store_has_a_pace_and_no_forecast() -> None:
    stage = Stage()
    pace = stage.pace()
    now = stage.at(pace, 5, 50, hits=50)
    assert (now.rate, now.left, now.forecast) == (10, 5, None)
    assert "100 % from the store" in line(now)


def test_a_line_says_how_far_how_fast_and_how_long_still() -> None:
    assert line(Figures("answer", 1000, 250, 20, 12.5)) == "answer   250 of 1000 rows, 25 %, 12.5/s, 1 min 0 s left"


def test_a_stage_that_stands_still_or_whose_endpoint_is_out_promises_no_end() -> None:
    assert moved(Figures("judge", 9, 3)) == "33 %"
    out = Sight(out={"m": 3.2})
    assert moved(Figures("judge", 9, 3, 60, 0.5, out)) == "33 %, 0.5/s"


def test_a_stage_without_rows_is_done() -> None:
    assert moved(Figures("judge", 0, 0)) == "100 %"


def test_what_holds_a_stage_up_is_counted_down() -> None:
    sight = Sight(Asked(Count(3, 1, 1200, 30, 0.5), 2, 1), 2, 4, 8, out={"m": 26.3, "n": 0.0}, held={"o": 1.1})
    assert details(Figures("answer", 9, 3, 60, 0.5, sight, 1.5, 1.5)) == [
        "1.5 calls/s, 2 in flight of 4 (at first 8), 1 turned away (429), 33 % from the store",
        "1,200 tokens in, 30 out, USD 0.5000 of about 1.5000",
        "m is out: next probe in 27 s",
        "n is out: probing now",
        "o wants no calls for 2 s",
    ]


def test_batches_and_unknown_prices_are_said() -> None:
    sight = Sight(Asked(Count(3, 0, 10, 5), 3), batched=400, unpriced=True)
    assert details(Figures("answer", 9, 3, sight=sight)) == [
        "400 in batches, 0 % from the store",
        "10 tokens in, 5 out, price unknown",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min"), (90000, "25 h 0 min")],
)
def test_a_span_of_time_is_said_in_two_figures(seconds: float, text: str) -> None:
    assert spoken(seconds) == text
