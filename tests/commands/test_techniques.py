"""`flywheel techniques`: what there is, and what each can be told."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from flows.commands.techniques import techniques
from tasks.answer.shelf import ANSWER
from tasks.produce.shelf import PRODUCE
from tasks.recipe import RecipeError

EVERY = [*PRODUCE.ready, *ANSWER.ready]


def said(*arguments: str) -> str:
    done = CliRunner().invoke(techniques, arguments, standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.output


def test_every_technique_is_listed_with_what_it_takes_and_gives() -> None:
    lines = [line.split() for line in said().splitlines()]
    assert {line[0] for line in lines if "->" in line} == set(EVERY)
    assert ["self_qa", "passages", "->", "rows"] in [line[:4] for line in lines]


@pytest.mark.parametrize("name", EVERY)
def test_a_page_has_each_setting_with_its_default_and_what_it_does(name: str) -> None:
    page = said(name)
    (told,) = json.loads(said(name, "--json"))["techniques"]
    flat = " ".join(page.split())
    for setting in told["settings"]:
        assert f" {setting['name']}: " in flat
        assert " ".join(setting["about"].split()) in flat
    assert max(map(len, page.splitlines())) <= 100


def test_a_page_says_what_may_be_set_and_how_records_are_chosen() -> None:
    page = said("rejection_sampling")
    assert "  k: 8  (1 or more)\n      Solutions drawn from each teacher.\n" in page
    assert "  temperature: 0.7  (0 to 2)\n" in page
    assert "  files: to be given\n" in said("documents")
    assert all(f"  {name}: " in page for name in ("task_types", "languages", "after", "share"))
    assert "share: " not in said("documents")  # which takes nothing


def test_json_has_what_the_pages_say() -> None:
    told = json.loads(said("--json"))
    assert [one["name"] for one in told["techniques"]] == EVERY
    assert {one["name"] for one in told["only"]} == {"task_types", "languages", "after", "share"}
    settings = [s for one in told["techniques"] for s in one["settings"]] + told["only"]
    assert all(set(s) == {"name", "default", "allowed", "about"} and s["about"] for s in settings)


def test_a_name_that_there_is_not_is_answered_with_the_nearest() -> None:
    with pytest.raises(RecipeError) as fault:
        said("self_instrct")
    assert fault.value.hint == "did you mean self_instruct"
