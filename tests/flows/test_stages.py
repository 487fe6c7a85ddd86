"""What a stage's tally says of the run."""

from __future__ import annotations

from tasks.answer.rejection_sampling import RejectionSampling
from tasks.link import Linked
from tasks.tally import Tally

LINK = Linked(RejectionSampling(), "rejection_sampling", "answer")


def test_a_link_that_could_do_nothing_to_any_row_that_it_took_says_why() -> None:
    from flows.stages import idle

    (said,) = idle(LINK, Tally("rejection_sampling", seen=9, out=9, passed=4, noted={"without_reference": 5}))
    assert said.startswith("rejection_sampling left all of its 5 rows: none of them has a reference")
    assert not idle(LINK, Tally("rejection_sampling", seen=9, out=9, passed=3, noted={"without_reference": 5}))
    assert not idle(LINK, Tally("rejection_sampling", seen=9, out=9, passed=9))


def test_a_stage_line_says_how_many_rows_a_link_lets_pass() -> None:
    from flows.report import stage_line

    assert "9 in (4 pass by), 9 out" in stage_line("answer", Tally("distill", seen=9, out=9, passed=4))
    assert "9 in, 9 out" in stage_line("answer", Tally("distill", seen=9, out=9, passed=0))
