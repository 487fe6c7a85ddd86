"""A team's own rule: a file beside its recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.loop import Bench, key
from tasks.mine.worth import chosen
from tasks.recipe import Mine, RecipeError
from tasks.schema import table
from tests.rows import ask

RULE = '''
"""Our product answers no riddles."""

from dataclasses import dataclass

from tasks.mine.ask import Ask


@dataclass(frozen=True)
class TooBoring:
    """Drops an ask that holds one of these words."""

    words: tuple[str, ...] = ("riddle", "谜语")

    def __call__(self, ask: Ask) -> str | None:
        return "too_boring" if any(word in ask.folded for word in self.words) else None
'''
HERE = "rules/our_rule.py:TooBoring"
ASKS = [ask("Tell me a riddle please"), ask("给我讲个谜语"), ask("Tell me about London")]


@pytest.fixture(autouse=True)
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the team's, from where the command runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "rules").mkdir()
    return written(tmp_path, RULE)


def written(folder: Path, text: str) -> Path:
    (folder / "rules" / "our_rule.py").write_text(text, encoding="utf-8")
    return folder


def reasons(**mine: Any) -> list[str | None]:
    return chosen(Mine(**mine))(table(ASKS)).reason.to_pylist()


def test_a_file_with_a_rule_runs_among_ours() -> None:
    assert reasons(rules=["length", HERE]) == ["too_boring", "too_boring", None]
    assert reasons(rules=[HERE], settings={HERE: {"words": ["london"]}}) == [None, None, "too_boring"]


def test_a_rule_may_be_named_by_its_module() -> None:
    assert reasons(rules=["rules.our_rule:TooBoring"]) == ["too_boring", "too_boring", None]


def test_another_source_or_setting_makes_another_key(team: Path) -> None:
    def made(**more: Any) -> str:
        return key(chosen(Mine(rules=[HERE], **more)), [], Bench(team, 7))

    first = made()
    assert made() == first
    assert made(settings={HERE: {"words": ["x"]}}) != first
    written(team, RULE.replace('"too_boring" if', '"dull" if'))
    assert made() != first


@pytest.mark.parametrize(
    ("text", "named", "settings", "said"),
    [
        (None, HERE, {}, r"no rule at .*our_rule\.py: No such file"),
        (None, "rules.nowhere:X", {}, r"the module rules\.nowhere cannot be imported: ModuleNotFoundError"),
        (RULE, "rules/our_rule.py:TooBorring", {}, r"our_rule\.py has no TooBorring; it has TooBoring"),
        ("def (", HERE, {}, r"our_rule\.py cannot be loaded: SyntaxError"),
        ("1 / 0", HERE, {}, r"cannot be loaded: ZeroDivisionError"),
        (RULE.replace("(frozen=True)", ""), HERE, {}, "is no frozen dataclass"),
        (
            RULE.replace("self, ask: Ask", "self, ask: Ask, more: int"),
            HERE,
            {},
            "cannot be called with an ask and nothing",
        ),
        (RULE.replace("__call__", "call"), HERE, {}, "cannot be called with an ask and nothing"),
        (RULE, HERE, {"wrods": []}, r"has no setting wrods"),
        (RULE, HERE, {"words": 3}, r"TooBoring: words: Input should be a valid tuple"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_one_sentence(
    team: Path, text: str | None, named: str, settings: dict[str, Any], said: str
) -> None:
    if text is None:
        (team / "rules" / "our_rule.py").unlink()
    else:
        written(team, text)
    with pytest.raises(RecipeError, match=said) as fault:
        chosen(Mine(rules=[named], settings={named: settings} if settings else {}))
    assert fault.value.where.startswith("mine.")
    assert "\n" not in fault.value.what


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        ("True", "gave a bool"),
        ("'Too Boring!'", "gave the reason 'Too Boring!'"),
        ("'merged'", "gave the reason 'merged'"),
    ],
)
def test_a_rule_that_gives_no_reason_is_named(team: Path, gives: str, said: str) -> None:
    written(team, RULE.replace('"too_boring" if', f"{gives} if"))
    with pytest.raises(RecipeError, match=f"the rule TooBoring {said}"):
        reasons(rules=[HERE])


def test_settings_are_for_rules_that_are_listed() -> None:
    with pytest.raises(RecipeError, match=r"mine\.settings names other\.py:Rule") as fault:
        chosen(Mine(rules=["length"], settings={"other.py:Rule": {}}))
    assert fault.value.where == "mine.settings"
