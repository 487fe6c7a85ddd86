"""Records back into the table that they came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tasks.record import Message, Record, Score
from tasks.schema import records, table
from tasks.unchanged import rewritten

TIME = datetime(2026, 2, 3, tzinfo=UTC)
GIVEN = [
    Record(("l-1",), (Message("user", "北京天气如何？"),), TIME, tags=("robust",)),
    Record(("l-2",), (Message("system", "Be brief."), Message("user", "How tall is it?")), TIME, input="a tower"),
    Record(("m-3",), (), TIME, passage="一段文字。"),
]
CHANGES: dict[str, Callable[[Record], Record]] = {
    "nothing": lambda record: record,
    "the same words anew": lambda record: replace(record, messages=tuple(replace(m) for m in record.messages)),
    "a label": lambda record: record.stamped("label", "sha", "m-1", task_type="facts"),
    "a score": lambda record: replace(record, scores=(Score("judge", 4.5, "好"),)),
    "an answer": lambda record: record.answering("It is tall. 很高。") if record.messages else record,
    "a question": lambda record: replace(record, messages=record.asking("另一个问题？")),
    "an input": lambda record: replace(record, input="something else"),
    "tools": lambda record: replace(record, tools="[]"),
    "a passage": lambda record: replace(record, passage="另一段。"),
    "a made record": lambda record: record.derived("made", record.asking("Made of it?")),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("sources", [[0, 1, 2], [2, 0], [1, 1, 0], []])
def test_the_table_is_what_the_records_alone_would_give(change: str, sources: list[int]) -> None:
    rows = table(GIVEN)
    made = [CHANGES[change](GIVEN[i]) for i in sources]
    assert rewritten(made, rows, records(rows), sources).equals(table(made))


def test_one_record_that_changes_among_others_changes_alone() -> None:
    rows = table(GIVEN)
    made = [GIVEN[0], GIVEN[1].answering("Very."), GIVEN[2]]
    assert rewritten(made, rows, records(rows), [0, 1, 2]).equals(table(made))


def test_what_no_record_changed_is_the_column_that_stood_there() -> None:
    rows = table(GIVEN)
    made = [record.stamped("label", task_type="facts") for record in GIVEN]
    told = rewritten(made, rows, records(rows), [0, 1, 2])
    before, after = (t.column("messages").chunk(0).buffers()[1].address for t in (rows, told))
    assert before == after
