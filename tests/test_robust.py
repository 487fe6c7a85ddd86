"""Rows that are spelled badly on purpose pass every step before the teacher as they are (document 002: they are
never cleaned away and never repaired)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tasks.clean.forms import FORMS
from tasks.clean.written import Written
from tasks.dedup.answers import OneAnswer
from tasks.dedup.made import NewlyMade
from tasks.dedup.prompts import OnePrompt
from tasks.gate.rows import RowGates
from tasks.history.asked import PUBLISHED, Asked
from tasks.mine.repeated import Repeated
from tasks.mine.worth import chosen
from tasks.produce.decompose import Decompose
from tasks.produce.rewrite_forms import RewriteForms
from tasks.produce.robust import Robust
from tasks.produce.round_trip import RoundTrip
from tasks.produce.translated import Translated
from tasks.recipe import Mine
from tasks.record import ROBUST, Record
from tasks.schema import records, table
from tasks.teacher.ask import Teacher
from tests.rows import answered, ask, past

NOBODY: Teacher = None  # type: ignore[assignment]
CLEAN = ("How do I sort a list of names in Python?", "请问怎么用 Python 给一个名字列表排序？")
BAD = (
    "how do i sotr a list of naems in Pyhton??",
    "请问怎摸用 Python 给一个名字列表排徐？",
    "um, hw dooo i 排序 ｌｉｓｔ zenme ban 1,234 ¥5",
    "怎么",
    "asdfghjkl?",
    "hi hi",
    "wie 排 ｓｏｒｔ <b>liste</b> noch 请 zenme 这个 была",
)


def robust(text: str, number: int) -> Record:
    return replace(ask(text, number), tags=("robust",))


@pytest.mark.parametrize("text", BAD)
async def test_a_robust_row_passes_unchanged(text: str, tmp_path: Path) -> None:
    row = robust(text, 9)
    crowd = [ask(t, n) for n, t in enumerate(CLEAN)]
    (cleaned,) = (await Written(html=True, forms=tuple(FORMS))(row, NOBODY, Random(0))).out
    assert cleaned == row
    sieved = chosen(Mine())(table([cleaned]))
    assert sieved.reason.to_pylist() == [None]
    (mined,) = records(sieved.table)
    assert mined.messages == row.messages
    assert not Repeated()(table([mined])).dropped
    before = past(tmp_path, [Asked.of(replace(answered(c, "Use sorted()."), split="train"), PUBLISHED) for c in crowd])
    assert not OnePrompt(0.1, before)(table([mined])).dropped
    assert not OnePrompt(0.1)(table([*crowd, mined])).dropped
    assert not OneAnswer(0.1, 0.1, past=before)(table([answered(mined, "Use sorted().")])).dropped


def test_two_robust_rows_that_are_alike_are_one(tmp_path: Path) -> None:
    first, second = robust(BAD[0], 1), robust(BAD[0] + "?", 2)
    assert len(OnePrompt()(table([first, second])).dropped) == 1
    before = past(tmp_path, [Asked.of(replace(answered(first, "Use sorted()."), split="train"), PUBLISHED)])
    assert len(OnePrompt(past=before)(table([second])).dropped) == 1


@pytest.mark.parametrize("text", CLEAN)
async def test_a_row_that_was_misspelled_here_passes_every_step_unchanged(text: str, tmp_path: Path) -> None:
    clean = ask(text)
    _, *made = (await Robust(per_record=3, most=0.5)(clean, NOBODY, Random(5))).out
    assert len(made) == 3
    assert all(ROBUST in row.tags for row in made)
    for technique in (RewriteForms(), RoundTrip(), Translated(languages=("en", "zh")), Decompose(), Robust()):
        for row in made:
            assert (await technique(row, NOBODY, Random(0))).out == (row,)
    for row in made:
        assert (await Written(html=True, forms=tuple(FORMS))(row, NOBODY, Random(0))).out == (row,)
    assert [r.messages for r in records(chosen(Mine())(table(made)).table)] == [r.messages for r in made]
    assert chosen(Mine())(table(made)).reason.null_count == 3
    assert NewlyMade()(table(made)).reason.null_count == 3
    assert not Repeated()(table(made)).dropped
    kept = records(OnePrompt(0.7)(table([clean, made[0]])).table.slice())
    assert kept == [clean, made[0]]
    before = past(tmp_path, [Asked.of(replace(answered(clean, "Use sorted()."), split="train"), PUBLISHED)])
    assert not OnePrompt(0.1, before)(table(made[:1])).dropped
    replies = [
        answered(row, f"用 sorted({i})。" if clean.language == "zh" else f"sorted({i})") for i, row in enumerate(made)
    ]
    assert not OneAnswer(0.7, 0.7, past=before)(table(replies[:1])).dropped
    assert RowGates()(table(replies)).reason.null_count == 3
