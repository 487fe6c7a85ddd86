"""A record that a teacher has answered: whose answer it is, under which licence, and what it took."""

from __future__ import annotations

from dataclasses import replace

from tasks.prompt import Filled
from tasks.record import Record
from tasks.teacher.ask import Teacher


def taught(record: Record, teacher: Teacher, sent: Filled, spent: tuple[int, int]) -> Record:
    """`spent` are the tokens of what was sent and of the reply."""
    by = replace(
        record, teacher=teacher.model, licence=teacher.licence, prompt_tokens=spent[0], response_tokens=spent[1]
    )
    return by.stamped(sent.name, sent.sha256, teacher.model)
