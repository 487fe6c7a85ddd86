"""Which calls of the store belong to a row."""

from dataclasses import replace

import pytest

from tasks.prompt import load
from tasks.publish.trace import holds
from tasks.record import Message
from tasks.teacher.ask import wire
from tasks.transcript import asked
from tests.rows import answered, ask

TEXTS = ("Write two lines without commas.", "写两行，不用逗号。")


@pytest.mark.parametrize("text", TEXTS)
def test_a_correction_is_a_call_of_the_row_that_its_draft_was_rejected_for(text: str) -> None:
    row = replace(answered(ask(text), "good"), rejected_answers=("draft, bad",))
    turns = {"system": (), "conversation": row.ask, "draft": (Message("assistant", "draft, bad"),)}
    sent = wire(load("self_correct/correct", row.language).fill(turns, unmet="- none").messages)
    assert holds(sent, row, asked(row))
    assert not holds(sent, replace(row, rejected_answers=()), asked(row))


@pytest.mark.parametrize("text", TEXTS)
def test_a_later_turn_of_the_same_session_is_none(text: str) -> None:
    row = replace(answered(ask(text), "good"), rejected_answers=("draft",))
    later = ask("And a third?", before=[text, "good"])
    turns = {"system": (), "examples": (), "conversation": later.ask}
    sent = wire(load("answer/direct", row.language).fill(turns).messages)
    assert not holds(sent, row, asked(row))
    assert holds(sent, answered(later, "third"), asked(later))
