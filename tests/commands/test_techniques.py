"""`flywheel techniques`: what there is, and what each can be told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.commands.techniques import techniques
from tasks.answer.shelf import ANSWER
from tasks.produce.shelf import PRODUCE

EVERY = [*PRODUCE.ready, *ANSWER.ready]


def said(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(techniques, arguments, standalone_mode=False)
    assert done.exception is None, done.exception
    assert done.return_value == code, done.output
    return done.output


def refused(*arguments: str) -> str:
    return said(*arguments, code=2)


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
    assert (
        refused("self_instrct") == "flywheel: there is no technique self_instrct (NAME) — did you mean self_instruct\n"
    )


TEAM = '''
"""Bedtime stories, for whoever asks for one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True)
class Story:
    """Beside each prompt, a story.

    `longest`: words of a story.
    """

    animal: str
    longest: int = 60
    takes: ClassVar[str] = "prompts"
    gives: ClassVar[str] = "prompts"
    shape: ClassVar[str] = "each"
    role: ClassVar[str] = "teacher"
    calls: ClassVar[str] = "2 a prompt"

    async def __call__(self, record, teacher, dice): ...


@dataclass(frozen=True, slots=True)
class Answers(Story):
    """Each prompt with a story as its answer."""

    animal: str = "heron"
    by: Callable[[str], str] | None = None
    gives: ClassVar[str] = "rows"


@dataclass(frozen=True)
class Shapeless(Story):
    shape: ClassVar[str] = "eech"


@dataclass(frozen=True)
class Greedy(Story):
    gives: ClassVar[str] = ""


@dataclass(frozen=True)
class Deaf(Story):
    def __call__(self, record): ...


@dataclass(frozen=True)
class Odd(Story):
    lock: "Lock" = None


class Plain:
    pass


named = "a text"
'''


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "team.py").write_text(TEAM, "utf-8")
    (tmp_path / "story_module.py").write_text(TEAM, "utf-8")
    return tmp_path


@pytest.mark.parametrize("named", ["team.py:Story", "story_module:Story"])
def test_a_teams_own_is_shown_as_ours_are(named: str, team: Path) -> None:
    page = said(named)
    assert page.startswith(f"{named}\n  Bedtime stories, for whoever asks for one.\n")
    for line in ("takes   prompts", "gives   prompts", "calls   2 a prompt", "in      produce"):
        assert f"  {line}\n" in page
    assert "  animal: to be given\n  longest: 60\n      Words of a story.\n" in page
    assert "  task_types: []" in page
    assert json.loads(said(named, "--json"))["techniques"][0]["name"] == named


def test_one_that_answers_stands_where_answers_are_made_whatever_its_settings_are(team: Path) -> None:
    page = said("team.py:Answers")
    assert "  in      answer.chain\n" in page
    assert "  by: null\n" in page


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("team.py", "name its class too: team.py:Class"),
        ("team.py:", "team.py has no class without a name; it has Answers, Deaf, Greedy, Odd, Plain, Shapeless, Story"),
        ("team.py:Storey", "team.py has no Storey; it has Answers"),
        ("team.py:Plain", "team.py:Plain is no frozen dataclass"),
        ("team.py:named", "team.py:named is no frozen dataclass"),
        ("team.py:Shapeless", "team.py:Shapeless has shape = 'eech'; `shape` is one of each, grow, table, fold"),
        ("team.py:Greedy", "team.py:Greedy has gives = ''; `gives` is one of passages, prompts, rows"),
        ("team.py:Deaf", "team.py:Deaf cannot be called with a record (or a pool), a teacher and dice"),
        ("team.py:Odd", "the settings of team.py:Odd cannot be checked"),
        ("nowhere.py:Story", "nowhere.py: No such file or directory"),
        ("folder.py:Story", "folder.py: Is a directory"),
        ("broken.py:Story", "broken.py cannot be loaded: SyntaxError"),
        ("wide.py:Story", "wide.py cannot be loaded: "),
        ("no_such_module:Story", "the module no_such_module cannot be imported"),
        (":Story", "cannot be imported"),
    ],
)
def test_what_is_wrong_with_a_teams_own_is_one_sentence(named: str, words: str, team: Path) -> None:
    (team / "folder.py").mkdir()
    (team / "broken.py").write_text("class Story(:\n")
    (team / "wide.py").write_text(TEAM, "utf-16")
    told = refused(named)
    assert words in told
    assert told.startswith("flywheel: ")
    assert told.count("\n") == 1


def test_a_recipe_shows_what_it_names_a_teams_own_among_them(team: Path) -> None:
    named = {"team.py:Story": {"animal": "heron", "only": {"share": 0.5}}}
    chain = {"produce": ["robust", named], "answer": {"chain": ["distill", "run_code"]}}
    (team / "recipe.yaml").write_text(json.dumps(chain))
    shown = [line.split()[0] for line in said("--recipe", "recipe.yaml").splitlines() if "->" in line]
    assert shown == ["robust", "team.py:Story", "distill", "run_code"]  # each once
    assert said("Story", "--recipe", "recipe.yaml") == said("team.py:Story")
    assert refused("Stori", "--recipe", "recipe.yaml").startswith("flywheel: recipe.yaml names no technique Stori")
    assert "no recipe at" in refused("--recipe", "nowhere.yaml")
