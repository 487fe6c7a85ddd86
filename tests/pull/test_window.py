"""From when on a database is asked: what was read so far, less the overlap; a backfill changes nothing about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tasks.pull.source import stream
from tasks.pull.window import resumed
from tasks.recipe import Source

DAY = datetime(2026, 3, 1, tzinfo=UTC)
OVERLAP = timedelta(days=3)


def test_a_run_asks_from_what_was_read_less_the_overlap() -> None:
    assert resumed(DAY, OVERLAP, DAY + timedelta(days=7)) == DAY - OVERLAP
    assert resumed(None, OVERLAP, DAY) is None


def test_a_row_dated_ahead_of_the_clock_does_not_hide_those_to_come() -> None:
    assert resumed(DAY + timedelta(days=365), OVERLAP, DAY) is None


@pytest.mark.parametrize(
    "change",
    [{"query": "SELECT 1", "table": None}, {"since": DAY}, {"mapping": {"id": "k"}}, {"name": "n"}, {"table": "other"}],
)
def test_another_query_mapping_or_since_begins_anew(change: dict[str, object]) -> None:
    told = {"uri": "postgresql://u@h/d", "table": "logs"}
    assert stream(Source.model_validate(told)) != stream(Source.model_validate(told | change))
    assert stream(Source.model_validate(told)) == stream(Source.model_validate(told | {"overlap": "P9D"}))
