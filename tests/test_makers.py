"""Whose records a link takes, by the names that a recipe has for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from tasks.answer.shelf import ANSWER
from tasks.link import Linked, Only
from tasks.makers import placed
from tasks.produce.shelf import PRODUCE
from tasks.recipe import RecipeError
from tasks.record import Kind
from tasks.technique import Entry

TEAM = """
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ForChildren:
    gives: ClassVar[str] = "prompts"
    shape: ClassVar[str] = "each"

    async def __call__(self, record, teacher, dice): ...


@dataclass(frozen=True, slots=True)
class Couplets(ForChildren):
    stamps: ClassVar[tuple[str, ...]] = ("duilian",)
"""
GROWN, EVOLVED = "self_instruct", {"evol_instruct": {"only": {"after": ["logs", "self_instruct"]}}}


@pytest.fixture
def team(tmp_path: Path) -> str:
    (tmp_path / "team.py").write_text(TEAM, "utf-8")
    return str(tmp_path / "team.py")


def after(*names: str) -> Entry:
    return {"rewrite_forms": {"only": {"after": [*names]}}}


def test_a_link_takes_what_users_asked_and_what_stands_before_it() -> None:
    *_, evolved, reworded = placed(PRODUCE.links([GROWN, EVOLVED, after("evol_instruct")]))
    assert evolved.only.after == ("logs", "self_instruct")
    assert reworded.only.after == ("evol_instruct",)


def test_a_link_that_answers_takes_what_was_made_before_and_what_a_link_before_it_answered() -> None:
    made = placed(PRODUCE.links([GROWN]))
    links = ANSWER.links(["distill", {"rewrite_answer": {"only": {"after": ["distill", "self_instruct"]}}}])
    assert placed(links, made)[1].only.after == ("answer", "self_instruct")
    wrapped = ANSWER.link({"distill": {"wrapper_for": [["*qwen*", "wrapper/qwen3"]]}}, 0)
    assert placed([wrapped, *links[1:]], made)[1].only.after == ("answer", "wrapper", "self_instruct")


@pytest.mark.parametrize(
    ("entries", "where", "hint"),
    [
        ([GROWN, after("self_instrct")], "produce.1.only.after", "did you mean self_instruct"),
        ([GROWN, after("log")], "produce.1.only.after", "did you mean logs"),
        ([after("evol_instruct"), "evol_instruct"], "produce.0.only.after", "there are logs"),
        ([GROWN, after("演化")], "produce.1.only.after", "there are self_instruct, logs"),
    ],
)
def test_a_name_that_nothing_before_a_link_has_is_refused_with_the_nearest(
    entries: list[Entry], where: str, hint: str
) -> None:
    with pytest.raises(RecipeError, match=r"rewrite_forms takes what .* made, and nothing before it has that") as fault:
        placed(PRODUCE.links(entries))
    assert (fault.value.where, fault.value.hint) == (where, hint)


def test_a_teams_own_technique_is_named_by_its_class_or_by_what_it_writes_into_lineages(team: str) -> None:
    for name in ("ForChildren", "for_children"):
        *_, link = placed(PRODUCE.links([f"{team}:ForChildren", after(name)]))
        assert "for_children" in link.only.after
    for name in ("Couplets", "duilian"):
        *_, link = placed(PRODUCE.links([f"{team}:Couplets", after(name)]))
        assert link.only.after == ("duilian",)


def test_one_that_does_not_say_what_it_writes_may_write_what_it_likes_but_a_slip_is_found(team: str) -> None:
    *_, link = placed(PRODUCE.links([f"{team}:ForChildren", after("bedtime")]))
    assert link.only.after == ("bedtime",)
    with pytest.raises(RecipeError) as slip:
        placed(PRODUCE.links([f"{team}:ForChildren", after("ForChilden")]))
    assert slip.value.hint == "did you mean ForChildren"
    with pytest.raises(RecipeError):
        placed(PRODUCE.links([f"{team}:Couplets", after("bedtime")]))


@dataclass(frozen=True, slots=True)
class Small:
    takes: ClassVar[Kind] = "rows"
    gives: ClassVar[Kind] = "rows"


def test_what_no_link_bears_may_be_named_where_it_is_there() -> None:
    link = Linked(Small(), "small", "answer", Only("rows", after=("small_model_answers",)), "answer.chain.0")  # pyright: ignore[reportArgumentType]
    assert placed([link], others=["small_model_answers"])[0].only == link.only
    with pytest.raises(RecipeError):
        placed([link])
