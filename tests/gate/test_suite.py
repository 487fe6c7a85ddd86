"""The default suite on staged files: each of its rules blocks where it should and lets pass what it should."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.answer.distill import Distill
from tasks.gate.rows import RULES, RowGates
from tasks.gate.suite import Finding, Rule, Share, Suite, expectations, frame, read, rows, shares
from tasks.judge.verdict import Judged
from tasks.label.task_type import TaskType
from tasks.publish.version import CHAT, SIDES, published, stage
from tasks.recipe import RecipeError
from tasks.record import Message, Record, table
from tasks.step import name
from tasks.tally import Tally
from tests.rows import answered, ask

SUITE = read("data/gates/default.yaml")
GOOD = [
    answered(ask(text, i, split=SIDES[i % 3]), text[::-1], 4.5)
    for i, text in enumerate(("Which lamp is best?", "请写一首诗", "How tall is it?", "桥有多高？", "Why?", "为什么？"))
]
Change = Callable[[list[Record]], list[Record]]


def staged(folder: Path, records: list[Record]) -> Path:
    stage(folder, published(table(records)))
    return folder


def findings(folder: Path, suite: Suite = SUITE) -> dict[str, Finding]:
    return {f.rule: f for f in rows(suite, folder)}


def first(**changed: object) -> Change:
    """The first row another one, all others as they were."""
    return lambda good: [replace(good[0], **changed), *good[1:]]


BLOCKED: dict[str, Change] = {
    "has_rows": lambda _: [],
    "row_ids_unique": lambda good: [*good, good[0]],
    "prompts_present": first(messages=(Message("user", ""), Message("assistant", "yes", trained=True))),
    "responses_present": first(messages=(Message("user", "诗"), Message("assistant", "", trained=True))),
    "languages_known": first(language="fr"),
    "task_types_given": first(task_type=""),
    "judge_mean": lambda good: [replace(r, scores=(replace(r.scores[0], value=3.4),)) for r in good],
    "responses_vary": lambda good: [r.answering("是的" if i < 3 else r.response) for i, r in enumerate(good)],
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return staged(tmp_path_factory.mktemp("good"), GOOD)


def test_good_files_pass_every_rule(good: Path):
    found = findings(good)
    assert list(found) == [r.name for r in SUITE.rules]
    assert [str(f) for f in found.values() if not f.passed] == []


@pytest.mark.parametrize("rule", BLOCKED)
def test_a_rule_finds_what_breaks_it(tmp_path: Path, rule: str):
    found = findings(staged(tmp_path / "version", BLOCKED[rule](GOOD)))
    assert not found[rule].passed
    assert found[rule].blocks == (rule != "responses_vary")
    if rule != "has_rows":
        assert [f.rule for f in found.values() if f.blocks and f.rule != rule] == []


def test_a_split_of_another_name_blocks(tmp_path: Path):
    file = staged(tmp_path, GOOD) / "data" / "chat" / "test-00000-of-00001.parquet"
    file.rename(file.with_name("dev-00000-of-00001.parquet"))
    finding = findings(tmp_path)["splits_known"]
    assert finding.blocks
    assert "dev" in finding.observed


def test_every_rule_of_the_default_suite_is_tested_here():
    assert {r.name for r in SUITE.rules} == {*BLOCKED, "splits_known"}
    assert {s.name for s in SUITE.shares} == set(SHARES)


def test_a_dataset_without_rows_is_blocked_and_not_an_error(tmp_path: Path):
    found = findings(tmp_path)
    assert found["has_rows"].blocks
    assert str(found["has_rows"]) == "has_rows: 0, expected ExpectTableRowCountToBeBetween min_value=1"


def test_a_finding_says_what_was_seen_and_expected(tmp_path: Path):
    found = findings(staged(tmp_path, BLOCKED["languages_known"](GOOD)))
    assert str(found["languages_known"]) == (
        "languages_known: 1 rows break it (fr), expected ExpectColumnValuesToBeInSet column=language, "
        "value_set=['en', 'zh']"
    )
    assert found["judge_mean"].observed == "4.5"


def test_the_mean_of_the_judge_is_over_all_rows(tmp_path: Path):
    low = [replace(r, scores=(replace(r.scores[0], value=1.5 if i < 2 else 4.5),)) for i, r in enumerate(GOOD)]
    assert findings(staged(tmp_path, low))["judge_mean"].passed


def test_the_frame_has_the_columns_that_the_suite_promises(good: Path):
    head = (Path(__file__).resolve().parents[2] / "data/gates/default.yaml").read_text("utf-8").partition("rules:")[0]
    promised = " ".join(head.replace("#", "").split()).partition("columns are ")[2].partition(".")[0].split(", ")
    files = sorted(good.glob("data/chat/*.parquet"))
    assert sorted(frame(files).columns) == sorted(promised)
    assert list(frame([]).columns) == list(frame(files).columns)
    assert frame(files).shape[0] == len(GOOD)
    assert set(promised) - {"prompt", "response", "judge", "split", "prompt_units", "response_units"} < set(CHAT.names)


SHARES = {
    "labels_readable": ("unparsed", 30),
    "answers_readable": ("truncated", 50),
    "verdicts_readable": ("unscored", 30),
    "answers_useful": ("gated:refused", 90),
}


def tally(stage_: str, reason: str, gone: int) -> Tally:
    return Tally(stage_, seen=100, out=100 - gone, dropped={reason: gone})


@pytest.mark.parametrize("share", SUITE.shares, ids=lambda s: s.name)
def test_a_share_blocks_above_its_cap_and_not_at_it(share: Share):
    reason, most = SHARES[share.name]
    suite = Suite(shares=[share])
    (at,) = shares(suite, [tally(share.stage, reason, most)])
    (above,) = shares(suite, [tally(share.stage, reason, most + 1)])
    (other,) = shares(suite, [tally(share.stage, "too_short", 100)])
    assert (at.passed, above.passed, other.passed) == (True, False, True)
    assert above.blocks
    assert f"{most + 1} of 100 rows" in above.observed
    assert above.expected == f"at most {most}%"


def test_reasons_of_one_share_add_up():
    both = Tally("distill", seen=100, out=40, dropped={"unparsed": 30, "empty_answer": 30})
    readable = Suite(shares=[s for s in SUITE.shares if s.name == "answers_readable"])
    assert [f.rule for f in shares(readable, [both]) if f.blocks] == ["answers_readable"]


def test_a_stage_that_saw_nothing_breaks_nothing():
    assert all(f.passed for f in shares(SUITE, [Tally(s.stage) for s in SUITE.shares]))


def test_a_share_of_a_stage_that_there_is_not_is_an_error_that_names_those_there_are():
    with pytest.raises(RecipeError) as fault:
        shares(SUITE, [Tally("distill"), Tally("verdict")])
    assert "no stage task_type" in fault.value.what
    assert fault.value.hint == "the stages are distill, verdict"


def test_the_shares_of_the_default_suite_name_stages_that_there_are():
    there = {s.__module__.rpartition(".")[2] for s in (TaskType, Distill, Judged, RowGates)}
    assert name(RowGates()) in there  # a stage is called by its step's module
    assert {s.stage for s in SUITE.shares} == there
    gated = {r.removeprefix("gated:") for s in SUITE.shares for r in s.reasons if r.startswith("gated:")}
    assert gated <= set(RULES)


def rule(expect: str, **arguments: object) -> Rule:
    return Rule.model_validate({"name": "mine", "severity": "critical", "expect": expect, "with": arguments})


@pytest.mark.parametrize(
    "wrong",
    [
        rule("ExpectTheBest", column="judge"),
        rule("core", column="judge"),
        rule("ExpectColumnValuesToBeUnique", colum="row_id"),
        rule("ExpectColumnValuesToBeUnique", column="rowid"),
        rule("ExpectColumnMeanToBeBetween", column="prompt", min_value=1),
    ],
    ids=["no such expectation", "not an expectation", "no such argument", "no such column", "no mean of a text"],
)
def test_a_rule_that_cannot_run_is_a_fault_of_the_recipe_and_no_finding(good: Path, wrong: Rule):
    with pytest.raises(RecipeError, match="gate mine") as fault:
        expectations([wrong], frame(sorted(good.glob("data/chat/*.parquet"))))
    assert fault.value.where == "gates.suite"


@pytest.mark.parametrize(
    "text",
    [
        b"rules: [{name: x}]",
        b"rule: []",
        b"rules: [",
        b"just words",
        b"\xff\xfe\x00",
        b"rules:\n  - {name: x, severity: fatal, expect: ExpectNothing, with: {}}\n",
        b"shares:\n  - {name: x, severity: critical, stage: rows, reason: [a], most: 1}\n",
    ],
)
def test_a_file_that_is_no_suite_is_a_fault_of_the_recipe(tmp_path: Path, text: bytes):
    (tmp_path / "suite.yaml").write_bytes(text)
    with pytest.raises(RecipeError, match=r"suite\.yaml is not a suite of gates") as fault:
        read(str(tmp_path / "suite.yaml"))
    assert fault.value.where == "gates.suite"


def test_a_suite_that_is_not_there_is_a_fault_of_the_recipe(tmp_path: Path):
    with pytest.raises(RecipeError, match=r"none\.yaml is not a suite"):
        read(str(tmp_path / "none.yaml"))


def test_a_suite_may_be_written_in_chinese(tmp_path: Path):
    text = (
        "rules:\n  - {name: 有数据, severity: warning, expect: ExpectTableRowCountToBeBetween, with: {min_value: 1}}\n"
    )
    (tmp_path / "suite.yaml").write_text(text, "utf-8")
    (finding,) = rows(read(str(tmp_path / "suite.yaml")), tmp_path)
    assert (finding.rule, finding.passed, finding.blocks) == ("有数据", False, False)
