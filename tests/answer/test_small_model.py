"""The small model's answers: what goes on as a row, and what goes on unanswered, to the teacher."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.answer.form import Form
from tasks.answer.small_model import SmallModelAnswers, learnt_by
from tasks.record import Message
from tasks.step import dice
from tests import faults
from tests.engines import teacher_at
from tests.faults import FaultsServer, always
from tests.rows import answered, ask

ASKS = ("Is this a refund? I want my money back.", "这是退款请求吗？请退钱。")
STEP = SmallModelAnswers("m-1", "abc", Form(labels=("yes", "是")))


@pytest.mark.parametrize(("text", "said"), [(ASKS[0], "yes"), (ASKS[1], "是")])
async def test_an_answer_in_the_form_is_a_row_of_its_own_model(text: str, said: str, tmp_path: Path) -> None:
    record = ask(text, system="Be short.", input="more")
    async with FaultsServer(lambda _: f"{said}\n") as server, teacher_at(server, tmp_path, licence="ours") as teacher:
        outcome = await STEP(record, teacher, dice(1, "x", "y"))
    (row,) = outcome.out
    assert (row.response, row.teacher, row.licence, outcome.noted) == (said, "m-1", "ours", ("by_small_model",))
    assert (row.lineage[-1].step, row.lineage[-1].model) == ("small_model_answers", "m-1")
    assert server.calls[0].body["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": f"{text}\n\nmore"},
    ]
    assert row.prompt_tokens > 0
    assert not learnt_by(row)


@pytest.mark.parametrize("text", ASKS)
async def test_one_in_another_form_or_none_leaves_the_prompt_as_it_was(text: str, tmp_path: Path) -> None:
    record = ask(text)
    for script in (lambda _: None, always(faults.refusal), always(faults.cut_at_limit)):
        async with FaultsServer(lambda _: "Sure: yes", script) as server, teacher_at(server, tmp_path) as teacher:
            outcome = await STEP(record, teacher, dice(1, "x", "y"))
        assert (outcome.out, outcome.noted) == ((record,), ("misformed",))


async def test_what_declares_tools_is_the_teachers_and_so_is_what_another_model_is_asked_in_its_place(
    tmp_path: Path,
) -> None:
    tool = replace(ask(ASKS[0]), tools='[{"type": "function", "function": {"name": "pay"}}]')
    async with FaultsServer(lambda _: "yes") as server, teacher_at(server, tmp_path) as teacher:
        assert (await STEP(tool, teacher, dice(1, "x", "y"))).out == (tool,)
        other = replace(STEP, model="m-2")
        assert (await other(ask(ASKS[1]), teacher, dice(1, "x", "y"))).out == (ask(ASKS[1]),)
    assert not server.calls


def test_only_the_teachers_answers_are_learnt_from() -> None:
    assert learnt_by(answered(ask(ASKS[0]), "yes"))
    assert not learnt_by(ask(ASKS[0]))
    assert not learnt_by(replace(answered(ask(ASKS[0]), "yes"), tools="[]"))
    assert not learnt_by(replace(ask(ASKS[0]), messages=(Message("user", "a"), Message("assistant", "b"))))
