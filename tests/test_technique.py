"""Techniques as a recipe names them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tasks.answer.shelf import ANSWER
from tasks.link import Linked, Only
from tasks.produce.shelf import PRODUCE
from tasks.prompt import file_of
from tasks.recipe import RecipeError
from tasks.record import Kind
from tasks.setting import settings
from tasks.technique import KINDS, about, chained

SHELVES = (PRODUCE, ANSWER)
EVERY = [(shelf, name) for shelf in SHELVES for name in shelf.ready]


@pytest.mark.parametrize(("shelf", "name"), EVERY)
def test_every_technique_says_what_it_is_takes_and_gives_and_its_prompts_are_there(shelf: Any, name: str) -> None:
    technique = shelf.find(name)
    assert technique.gives in KINDS
    assert getattr(technique, "takes", None) in (*KINDS, None)
    assert technique.shape in ("each", "grow", "table", "fold")
    assert 20 < len(about(technique)) < 300
    given = {"files": ("x",)} if "files" in {s.name for s in settings(technique)} else {}
    for prompt in getattr(technique(**given), "prompts", ()):
        assert all(file_of(prompt, language).is_file() for language in ("en", "zh")), prompt


class Step:
    def __init__(self, gives: Kind, takes: Kind | None = None, starts: bool = False) -> None:
        self.gives, self.takes, self.starts = gives, takes, starts


def links(*steps: Step) -> list[Linked]:
    return [Linked(step, f"step{i}", "produce", Only(step.takes or "prompts")) for i, step in enumerate(steps)]  # pyright: ignore[reportArgumentType]


GROWS, READS = Step("prompts", "prompts", starts=True), Step("passages")
EVOLVES, ASKS, TRIMS = Step("prompts", "prompts"), Step("rows", "passages"), Step("rows", "rows")


@pytest.mark.parametrize(
    ("steps", "given", "gives"),
    [
        ([], {"prompts"}, {"prompts"}),
        ([GROWS, EVOLVES], set(), {"prompts"}),
        ([READS, ASKS, TRIMS], set(), {"rows"}),
        ([READS, ASKS, EVOLVES], {"prompts"}, {"prompts", "rows"}),
    ],
)
def test_a_chain_gives_what_its_links_give(steps: list[Step], given: Iterable[Kind], gives: set[Kind]) -> None:
    assert chained(links(*steps), given, "produce") == gives


@pytest.mark.parametrize(
    ("steps", "given", "where"),
    [
        ([EVOLVES], set(), "produce.0"),
        ([GROWS, ASKS], set(), "produce.1"),
        ([TRIMS], {"prompts"}, "produce.0"),
        ([ASKS, READS], {"passages"}, "produce.1"),
    ],
)
def test_a_link_that_nothing_feeds_is_refused_with_what_to_do(
    steps: list[Step], given: Iterable[Kind], where: str
) -> None:
    with pytest.raises(RecipeError) as fault:
        chained(links(*steps), given, "produce")
    assert fault.value.where == where
    assert fault.value.hint


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("distil", "did you mean distill"),
        ({"distill": {"temprature": 1}}, "did you mean temperature"),
        ({"distill": {}, "other": {}}, "one entry is one technique"),
        ({"distill": {"only": {"kind": "rows"}}}, "task_types, languages, after and share"),
        ({"distill": {"temperature": "hot"}}, 'unable to parse string as a number; it is "hot"'),
        ({"distill": {"only": {"languages": ["fr"]}}}, "only.languages.0: Input should be 'en' or 'zh'; it is \"fr\""),
        ({"distill": {"only": {"share": 3}}}, "only.share: Input should be less than or equal to 1; it is 3"),
        ({"distill": {"only": ["code"]}}, "only holds a list only takes task_types"),
        ({"distill": {"only": {False: 1}}}, "only has no setting False"),
        (
            {"self_correct": {"rounds": -1}},
            "rounds: Input should be greater than or equal to 0; it is -1",
        ),
        ({"rejection_sampling": {"k": 0}}, "rejection_sampling: k: Input should be greater than or equal to 1"),
        ({"rejection_sampling": {"agreement": 2}}, "agreement: Input should be less than or equal to 1"),
        ({"multi_teacher": {"least": 0}}, "least: Input should be greater than or equal to 1"),
        ({"multi_teacher": {"teachers": ["teacher"]}}, "multi_teacher: teachers: name two at least"),
        ({"meta_reasoning": {"chains": -2}}, "chains: Input should be greater than or equal to 1"),
        ({"tree_of_thoughts": {"most_calls": 0}}, "most_calls: Input should be greater than 0; it is 0"),
        ({"run_code": {"without_sandbox": "run", "limits": {"secs": 1}}}, "run_code: limits.secs"),
        (
            {"run_code": {"without_sandbox": "run", "limits": {"seconds": -1}}},
            "run_code: limits: every limit is at least 1",
        ),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_with_the_nearest_right(entry: Any, said: str) -> None:
    with pytest.raises(RecipeError) as fault:
        ANSWER.link(entry, 0)
    assert said in f"{fault.value.what} {fault.value.hint}"


def test_settings_and_only_reach_the_technique() -> None:
    link = ANSWER.link({"distill": {"temperature": 0.2, "only": {"task_types": ["code"], "share": 0.5}}}, 3)
    assert (link.called, link.stage, link.step.temperature) == ("distill", "answer", 0.2)  # pyright: ignore[reportAttributeAccessIssue]
    assert link.only == Only("prompts", ("code",), share=0.5)


def test_a_teams_own_prompts_are_found_from_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts" / "couplets").mkdir(parents=True)
    ours = tmp_path / "prompts" / "couplets" / "ask.zh.toml"
    ours.write_text("version = 1\n[[message]]\nrole='user'\ncontent='上联'\n")
    assert file_of("couplets/ask", "zh") == ours
