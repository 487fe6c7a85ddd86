import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from tasks.answer import run_code
from tasks.answer.run_code import RunCode
from tasks.answer.sandbox import Limits
from tasks.loop import Bench, run
from tasks.recipe import RecipeError
from tasks.record import Record
from tasks.schema import table
from tasks.shard import write
from tasks.step import Outcome
from tests.rows import ask

NOBODY: Any = cast(Any, None)  # nobody is asked
QUESTION = {"en": "Write `triple(x)` in Python.", "zh": "用 Python 写一个函数 `triple(x)`，返回三倍。"}
SAID = {"en": "Here it is:", "zh": "代码如下："}
RIGHT = "def triple(x):\n    return x * 3"
WRONG = "def triple(x):\n    return x + 3"
LANGUAGES = ("en", "zh")


def row(language: str, program: str, asked: str = "", fence: str = "python", **known: Any) -> Record:
    prompt = ask(QUESTION[language] + asked, task_type="code")
    return replace(prompt.answering(f"{SAID[language]}\n\n```{fence}\n{program}\n```\n"), **known)


async def ran(record: Record, **settings: Any) -> Outcome:
    outcome = await RunCode(**settings)(record, NOBODY, Random(0))
    assert outcome.balanced
    return outcome


GIVEN: Sequence[dict[str, Any]] = (
    {"reference": "assert triple(2) == 6"},
    {"reference": "def test_it():\n    assert triple(2) == 6"},
    {"constraints": (json.dumps({"tests": "assert triple(2) == 6"}), json.dumps({"words": 3}), "[]")},
    {"asked": "\n\n>>> triple(2)\n6\n"},
    {"asked": "\n\n```python\n>>> triple(2)\n6\n```\n"},
    {"asked": "\n\nassert triple(2) == 6\n"},
    {"asked": " 例如 triple(2) == 6。"},
    {"asked": " For example, `triple(2)` should return `6`, and triple('ab') == 'ababab'."},
)


@pytest.mark.parametrize("given", GIVEN, ids=lambda g: next(iter(g)))
@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_answer_stays_where_it_passes_the_tests_and_goes_where_it_fails_them(
    language: str, given: dict[str, Any]
) -> None:
    (kept,) = (await ran(row(language, RIGHT, **given))).out
    assert kept.score("tests") == 1.0
    outcome = await ran(row(language, WRONG, **given))
    assert [d.reason for d in outcome.dropped] == ["failed_tests"]
    detail = outcome.dropped[0].detail
    assert detail.startswith(("failed: assert triple(2) == 6: AssertionError", "failed: triple(2): 5")), detail


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (row("en", RIGHT), "no_tests"),
        (row("zh", RIGHT, reference="6"), "no_tests"),
        (row("en", RIGHT, asked="\n\n>>> other(2)\n6\n"), "no_tests"),
        (row("zh", RIGHT, asked="\n\nassert other == 6"), "no_tests"),
        (row("en", RIGHT, asked="\n    >>> triple(2)\n  6\n"), "no_tests"),
        (row("en", RIGHT, asked=" If triple(2) == 7, print a line."), "no_tests"),
        (row("zh", RIGHT, asked=" 我的 triple(2) 返回 5，哪里错了？triple(2) -> 5"), "no_tests"),
        (row("zh", RIGHT, asked="\n\n```python\nwrong = triple(2) == 5\n```\n"), "no_tests"),
        (row("en", "fn triple() {}", fence="rust", reference="assert 1"), "no_python"),
        (row("zh", ">>> triple(2)\n6", reference="assert 1"), "no_python"),
        (row("en", f"import numpy\n{RIGHT}", reference="assert triple(2) == 6"), "needs_module"),
    ],
)
async def test_what_cannot_be_tested_is_kept_as_it_is_and_counted(record: Record, what: str) -> None:
    outcome = await ran(record)
    assert outcome.out == (record,)
    assert outcome.noted == (what,)


async def test_only_rows_of_the_task_types_are_run() -> None:
    record = replace(row("en", WRONG, reference="assert triple(2) == 6"), task_type="writing")
    assert (await ran(record)).out == (record,)
    assert (await ran(record, task_types=("writing",))).dropped


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_is_no_python_though_it_has_tests_is_broken(language: str) -> None:
    outcome = await ran(row(language, "def triple(x:\n    return", reference="assert triple(2) == 6"))
    assert [d.reason for d in outcome.dropped] == ["broken_code"]


async def test_a_program_that_never_ends_is_ended_and_says_so() -> None:
    endless = row("zh", "def triple(x):\n    while True:\n        pass", reference="assert triple(2) == 6")
    outcome = await ran(endless, limits=Limits(seconds=1))
    assert outcome.dropped[0].detail.startswith("timed_out")


async def test_without_a_sandbox_it_refuses_unless_the_recipe_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_code, "missing", lambda: "no namespaces")
    with pytest.raises(RecipeError, match="code cannot be run here: no namespaces"):
        RunCode()
    (kept,) = (await ran(row("en", RIGHT, **GIVEN[0]), without_sandbox="run")).out
    assert kept.scores[-1].reason == "passed, without a sandbox"


async def test_the_loop_balances_what_is_kept_and_dropped(tmp_path: Path) -> None:
    rows = [row("en", RIGHT, **GIVEN[0]), row("zh", WRONG, **GIVEN[0]), row("zh", RIGHT)]
    shards = [write(table(rows), tmp_path / "in.parquet")]
    tally = await run(RunCode(), shards, Bench(tmp_path / "work", 7))
    assert (tally.seen, tally.out, tally.dropped) == (3, 2, {"failed_tests": 1})
    assert tally.noted == {"passed": 1, "no_tests": 1}
