"""A record that a teacher has answered: whose answer it is, under which licences, and what it took."""

from __future__ import annotations

from tasks.prompt import Filled
from tasks.record import Record, licences
from tasks.teacher.ask import Teacher


def taught(record: Record, teacher: Teacher, sent: Filled, spent: tuple[int, int]) -> Record:
    """`spent` are the tokens of what was sent and of the reply."""
    told = {
        "licence": licences(record.licence, teacher.licence),
        "prompt_tokens": spent[0],
        "response_tokens": spent[1],
    }
    return record.stamped(sent.name, sent.sha256, teacher.model, teacher=teacher.model, **told)
