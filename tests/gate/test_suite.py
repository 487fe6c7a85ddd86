"""The default suite on staged files: each of its rules blocks where it should and lets pass what it should."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.answer.distill import Distill
from tasks.gate.expectations import expectations
from tasks.gate.finding import Finding
from tasks.gate.frame import COLUMNS, MADE, SAME, STUDENT, frame
from tasks.gate.rows import RowGates, checks
from tasks.gate.suite import Against, Rule, Share, Suite, Terms, against, read, rows, shares
from tasks.judge.verdict import Judged
from tasks.label.task_type import TaskType
from tasks.publish.version import SIDES, published, stage
from tasks.recipe import RecipeError
from tasks.record import Message, Record
from tasks.schema import table
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


TERMS = Terms({"task_types": ["writing", "translation"]})


def findings(folder: Path, suite: Suite = SUITE, terms: Terms = TERMS) -> dict[str, Finding]:
    return {f.rule: f for f in rows(suite, folder, terms)}


def first(**changed: object) -> Change:
    """The first row another one, all others as they were."""
    return lambda good: [replace(good[0], **changed), *good[1:]]


def saying(response: str) -> Change:
    """The first row with another answer."""
    return lambda good: [good[0].answering(response), *good[1:]]


def asking(text: str) -> Change:
    """The first row about something else."""
    return first(messages=(Message("user", text), GOOD[0].messages[-1]))


def many(response: str) -> Change:
    """Another nineteen rows with an answer that one of them has."""
    more = [answered(ask(f"{i} {'猫狗鸟鱼'[i % 4] * (i + 3)}", i, split="train"), response) for i in range(20)]
    return lambda good: [*good, *more]


BLOCKED: dict[str, Change] = {
    "has_rows": lambda _: [],
    "row_ids_unique": lambda good: [*good, good[0]],
    "prompts_differ": lambda good: [*good, good[0].answering("Another one.")],
    "prompts_present": first(messages=(Message("user", ""), Message("assistant", "yes", trained=True))),
    "responses_present": first(messages=(Message("user", "诗"), Message("assistant", "", trained=True))),
    "languages_known": first(language="fr"),
    "languages_match": saying("这盏灯最适合放在书桌上，因为它的光线柔和，不伤眼睛，也不占地方，价格也便宜。"),
    "task_types_named": first(task_type=""),
    "task_types_known": first(task_type="wrting"),
    "judged": first(scores=()),
    "refusals_rare": saying("I'm sorry, but I can't help with that."),
    "no_personal_data": saying("Ask anna.keller@gmx.de about lamps."),
    "no_personal_data_asked": asking("Is anna.keller@gmx.de a good address?"),
    "no_answer_dominates": many("yes"),
    "judge_mean": lambda good: [replace(r, scores=(replace(r.scores[0], value=3.4),)) for r in good],
    "responses_vary": lambda good: [r.answering("是的" if i < 3 else r.response) for i, r in enumerate(good)],
}
WARNINGS = {"responses_vary", "no_answer_dominates", "languages_match", "no_personal_data_asked", "yield_holds"}
BESIDE = {  # what a row that breaks one rule cannot but break as well
    "row_ids_unique": {"prompts_differ"},
    "task_types_named": {"task_types_known"},
}
NULLS = {
    "row_ids_given": "row_id",
    "messages_given": "messages",
    "languages_given": "language",
    "task_types_given": "task_type",
}
STUDENTS = {"renders_for_student", "fits_student"}  # tests/gate/test_student.py


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return staged(tmp_path_factory.mktemp("good"), GOOD)


def test_a_further_answer_that_a_technique_made_of_the_same_prompt_may_stand_beside_the_first(tmp_path: Path):
    turns = (*GOOD[0].ask, Message("assistant", "Another one.", trained=True))
    made = replace(GOOD[0].derived("rejection_sampling/solve", turns), scores=GOOD[0].scores, teacher="teacher")
    found = findings(staged(tmp_path, [*GOOD, replace(made, split=GOOD[0].split)]))
    assert found["prompts_differ"].passed


def test_good_files_pass_every_rule(good: Path):
    found = findings(good)
    assert list(found) == [r.name for r in (*SUITE.rules, *SUITE.against)]
    assert [str(f) for f in found.values() if f.passed is False] == []
    assert {f.rule for f in found.values() if f.passed is None} == STUDENTS | {"rows_kept", "yield_holds"}


@pytest.mark.parametrize("rule", BLOCKED)
def test_a_rule_finds_what_breaks_it(tmp_path: Path, rule: str):
    found = findings(staged(tmp_path / "version", BLOCKED[rule](GOOD)))
    assert found[rule].passed is False
    assert found[rule].blocks == (rule not in WARNINGS)
    if rule != "has_rows":
        assert {f.rule for f in found.values() if f.blocks} - {rule} == BESIDE.get(rule, set())


@pytest.mark.parametrize("rule", NULLS)
def test_a_null_where_none_may_be_blocks_and_is_no_error(tmp_path: Path, rule: str):
    file = staged(tmp_path, GOOD) / "data" / "chat" / "train-00000-of-00001.parquet"
    kept = pq.read_table(file)
    at = kept.schema.get_field_index(NULLS[rule])
    lacking = pa.array([None, *kept.column(at).to_pylist()[1:]], kept.schema.field(at).type)
    pq.write_table(kept.set_column(at, kept.schema.field(at), lacking), file)
    finding = findings(tmp_path)[rule]
    assert finding.blocks
    assert finding.observed.startswith("1 of 6 rows")


def test_a_split_of_another_name_blocks(tmp_path: Path):
    file = staged(tmp_path, GOOD) / "data" / "chat" / "test-00000-of-00001.parquet"
    file.rename(file.with_name("dev-00000-of-00001.parquet"))
    finding = findings(tmp_path)["splits_known"]
    assert finding.blocks
    assert "dev" in finding.observed


def test_every_rule_of_the_default_suite_is_tested_here():
    assert {r.name for r in SUITE.rules} == {*BLOCKED, *NULLS, *STUDENTS, "splits_known"}
    assert {a.name for a in SUITE.against} == {"rows_kept", "yield_holds"}
    assert {r.name for r in (*SUITE.rules, *SUITE.against) if r.severity == "warning"} == WARNINGS
    assert {s.name for s in SUITE.shares} == set(SHARES)


def test_a_dataset_without_rows_is_blocked_and_not_an_error(tmp_path: Path):
    found = findings(tmp_path)
    assert found["has_rows"].blocks
    assert str(found["has_rows"]) == "has_rows: 0 (0 is 1 short), expected table row count to be between: min_value 1"


def test_a_finding_says_what_was_seen_what_was_expected_and_in_which_rows(tmp_path: Path):
    found = findings(staged(tmp_path, BLOCKED["languages_known"](GOOD)))
    french = first(language="fr")(GOOD)[0].row_id
    assert str(found["languages_known"]) == (
        "languages_known: 1 of 6 rows (16.7%) break it: fr, expected column values to be in set: column language, "
        f"value_set ['en', 'zh'] (rows {french})"
    )
    assert found["judge_mean"].observed == "4.5"


def test_a_finding_says_by_how_much(tmp_path: Path):
    found = findings(staged(tmp_path, BLOCKED["judge_mean"](GOOD)))
    assert found["judge_mean"].observed == "3.4 (3.4 is 0.1 short)"
    asked = findings(staged(tmp_path / "asked", BLOCKED["no_personal_data_asked"](GOOD)))["no_personal_data_asked"]
    assert asked.observed == "1 of 6 rows (16.7%) break it (1 is 1 too many)"


def test_a_finding_names_three_rows_and_holds_no_text_of_any(tmp_path: Path):
    secret = "sk-Zq8rT1vXy2Lm4Np6Qs8Uw0Az3Ce5Gi7K"
    texts = [r.answering(f"I'm sorry, but I can't tell {secret} {i}") for i, r in enumerate(GOOD)]
    short = Suite(
        rules=[
            *SUITE.rules,
            rule("ExpectColumnValueLengthsToBeBetween", column="response", max_value=3),
            rule("ExpectColumnDistinctValuesToBeInSet", column="response", value_set=["a"]),
        ]
    )
    found = findings(staged(tmp_path, texts), short)
    assert len(found["refusals_rare"].rows) == 3
    assert set(found["refusals_rare"].rows) < {r.row_id for r in texts}
    assert secret not in "".join(map(str, found.values()))


def test_the_mean_of_the_judge_is_over_all_rows(tmp_path: Path):
    low = [replace(r, scores=(replace(r.scores[0], value=1.5 if i < 2 else 4.5),)) for i, r in enumerate(GOOD)]
    assert findings(staged(tmp_path, low))["judge_mean"].passed


def test_the_frame_has_the_columns_that_the_suite_promises(good: Path):
    head = (Path(__file__).resolve().parents[2] / "data/gates/default.yaml").read_text("utf-8").partition("rules:")[0]
    promised = re.findall("[a-z_]+", head.partition("columns are ")[2].partition("A suite that")[0])
    files = sorted(good.glob("data/chat/*.parquet"))
    for named in COLUMNS:
        assert named in promised
    made = set(frame(files, repr(COLUMNS)).column_names)
    assert made == set(COLUMNS) - set(STUDENT)
    assert list(frame([], repr(COLUMNS)).column_names) == list(frame(files, repr(COLUMNS)).column_names)
    assert frame(files).shape == (len(GOOD), len(SAME) + len(MADE))


SHARES = {
    "labels_readable": ("unparsed", 30),
    "answers_readable": ("truncated", 50),
    "verdicts_readable": ("unscored", 30),
    "answers_useful": ("gated:refused", 90),
    "answers_whole": ("gated:truncated", 20),
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
    assert above.blocks == (share.severity == "critical")
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
    assert gated <= set(checks(0, 1))


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
        expectations([wrong], frame(sorted(good.glob("data/chat/*.parquet"))), {})
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


def test_a_parameter_that_there_is_not_is_a_fault_of_the_recipe_that_names_those_there_are(good: Path):
    with pytest.raises(RecipeError, match="no parameter most") as fault:
        findings(
            good, Suite(rules=[rule("ExpectColumnMaxToBeBetween", column="judge", max_value={"$PARAMETER": "most"})])
        )
    assert fault.value.hint == "the parameters are task_types"


def test_a_rule_on_new_rows_leaves_the_parents_alone(tmp_path: Path):
    parent = staged(tmp_path / "1.0.0", first(task_type="gone_since")(GOOD[:4]))
    child = staged(tmp_path / "1.1.0", first(task_type="gone_since")(GOOD))
    beside = replace(TERMS, parent=str(parent))
    assert findings(child)["task_types_known"].blocks
    assert findings(child, terms=beside)["task_types_known"].passed
    assert findings(child, terms=beside)["task_types_known"].observed == "0 of 2 rows break it"


RULES_AGAINST = [
    ("rows_kept", {"rows": 10.0}, {"rows": 10.0}, True),
    ("rows_kept", {"rows": 9.0}, {"rows": 10.0}, False),
    ("yield_holds", {"yield": 0.2}, {"yield": 0.4}, True),
    ("yield_holds", {"yield": 0.19}, {"yield": 0.4}, False),
    ("yield_holds", {"yield": 0.19}, {}, None),
    ("yield_holds", {"yield": 0.19}, {"yield": 0.0}, None),
]


@pytest.mark.parametrize(("name_", "now", "before", "passed"), RULES_AGAINST)
def test_a_version_is_held_against_the_last_one(
    name_: str, now: dict[str, float], before: dict[str, float], passed: bool | None
):
    found = {f.rule: f for f in against(SUITE, now, before)}
    assert found[name_].passed is passed
    if passed is False:
        assert "short" in found[name_].observed


def test_a_version_with_fewer_rows_than_its_parent_is_blocked(tmp_path: Path):
    parent = staged(tmp_path / "1.0.0", GOOD)
    found = findings(
        staged(tmp_path / "1.1.0", GOOD[1:]), terms=replace(TERMS, parent=str(parent), before={"rows": 6.0})
    )
    assert found["rows_kept"].blocks
    assert found["rows_kept"].observed == "rows 5, it was 6 (1 short)"


def test_a_comparison_of_another_measure_is_no_suite():
    with pytest.raises(ValueError, match="measure"):
        Against.model_validate({"name": "x", "severity": "warning", "measure": "beauty", "least": 1})
