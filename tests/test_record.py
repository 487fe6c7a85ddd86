"""The record, its ids, and its Arrow schema."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from tasks.record import (
    SCHEMA,
    SPELT,
    Message,
    Record,
    Score,
    Stamp,
    ToolCall,
    identity,
    message,
    records,
    spelt,
    table,
    turn,
)

FULL = Record(
    roots=("l-1", "l-2"),
    messages=(
        Message("system", "你是助手"),
        Message("user", "北京天气如何？", name="小王"),
        Message("assistant", "", tool_calls=(ToolCall("c1", "weather", '{"city": "北京"}'),)),
        Message("tool", '{"t": 3}"}]}', tool_call_id="c1"),
        Message("assistant", "3 度。\x00", reasoning_content="看结果", trained=True),
    ),
    asked_at=datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC),
    input="附件 {{x}}",
    tools='[{"type": "function"}]',
    language="zh",
    task_type="tool_use",
    subtype="weather",
    domain="general",
    tags=("robust",),
    scores=(Score("judge", 4.5, "准确"), Score("other", 1)),
    teacher="m-1",
    licence="apache-2.0",
    prompt_tokens=12,
    response_tokens=3,
    conversation="c-1",
    user="u-1",
    student="s-1",
    student_response="</user>",
    vote="up",
    split="train",
    lineage=(Stamp("distill", "sha", "m-1", ("p-1",), "第一步"), Stamp("verdict")),
    derived_from=("l-3",),
    passage="北京今天 3 度。",
    reference="3",
    constraints=('{"words": 5}',),
    rejected_answers=("30 度。",),
)
BARE = Record(("l-1",), (Message("user", "hi"),), datetime(1970, 1, 1, tzinfo=UTC))


def test_record_and_schema_name_the_same_fields() -> None:
    assert {f.name for f in fields(Record)} | {"row_id", "prompt_id"} == set(SCHEMA.names)
    assert set(FULL.row()) == set(SCHEMA.names)
    assert set(turn(FULL.messages[0])) == {f.name for f in fields(Message)} == set(struct("messages"))
    assert {f.name for f in fields(Score)} == set(struct("scores"))
    assert {f.name for f in fields(Stamp)} == set(struct("lineage"))


def struct(column: str) -> list[str]:
    return [f.name for f in SCHEMA.field(column).type.value_type]


@pytest.mark.parametrize("made", [[], [BARE], [FULL], [FULL, BARE, FULL]])
def test_records_come_back_from_a_table_as_they_went_in(made: list[Record]) -> None:
    rows = table(made)
    assert rows.schema == SCHEMA
    assert records(rows) == made


def test_the_test_record_has_no_field_at_its_default() -> None:
    """Else the round trip above would not notice a field that is lost."""
    assert [f.name for f in fields(Record) if getattr(FULL, f.name) == getattr(BARE, f.name)] == []


def test_a_turn_comes_back_from_its_plain_form() -> None:
    assert [message(turn(m)) for m in FULL.messages] == list(FULL.messages)


@pytest.mark.parametrize("said", [*FULL.messages, Message("user", '"\\\x00\u2028\ud800\n🙂')], ids=lambda m: m.role)
def test_a_turn_is_spelt_as_json_spells_its_plain_form(said: Message) -> None:
    assert spelt(said) == SPELT.encode(turn(said))


@pytest.mark.parametrize("record", [FULL, BARE, Record(("m-1",), (), BARE.asked_at, passage="一段")])
def test_both_ids_at_once_are_those_that_each_alone_is(record: Record) -> None:
    assert record.ids == (record.prompt_id, record.row_id)


@pytest.mark.parametrize("made", [[], [BARE], [FULL, BARE, FULL]])
def test_the_table_is_the_one_that_arrow_makes_of_plain_rows(made: list[Record]) -> None:
    assert table(made).equals(pa.Table.from_pylist([r.row() for r in made], schema=SCHEMA))


def test_ids_are_the_same_on_every_machine_and_in_every_version() -> None:
    """Ledgers, splits and published rows are joined by these; a change here orphans all of them."""
    assert identity("l", "logs", "7") == "l-355075b8726123a3079106dd"
    assert BARE.prompt_id == "p-a8e40ba15216a722550d7f69"
    assert BARE.answering("你好").row_id == "r-ef3193be73de6b50a3d40a50"


def test_an_id_holds_its_parts_apart_and_any_text() -> None:
    assert identity("l", "ab", "c") != identity("l", "a", "bc")
    assert identity("l", {"b": 1, "a": 2}) == identity("l", {"a": 2, "b": 1})
    assert identity("l", "\ud800\x00").startswith("l-")


def test_the_prompt_id_names_what_is_asked_and_outlives_the_answer() -> None:
    answered = BARE.answering("hello")
    assert answered.prompt_id == BARE.prompt_id == answered.answering("hello again").prompt_id
    for other in (
        replace(BARE, messages=(Message("user", "Hi"),)),
        replace(BARE, messages=(Message("system", ""), *BARE.messages)),
        replace(BARE, input="x"),
        replace(BARE, tools="[]"),
    ):
        assert other.prompt_id != BARE.prompt_id


def test_the_row_id_names_what_is_trained_on_and_nothing_else() -> None:
    answered = BARE.answering("hello")
    assert answered.row_id != BARE.answering("hello", "thought").row_id
    assert answered.row_id != replace(answered, messages=(*BARE.messages, Message("assistant", "hello"))).row_id
    known = replace(answered, roots=("l-9",), split="test", scores=FULL.scores, user="u", lineage=FULL.lineage)
    assert known.row_id == answered.row_id


def test_a_logged_answer_is_part_of_what_is_asked_and_only_a_taught_one_is_a_response() -> None:
    logged = replace(BARE, messages=(*BARE.messages, Message("assistant", "student"), Message("user", "more")))
    assert (logged.answered, logged.response, logged.instruction) == (False, "", "more")
    ends = replace(BARE, messages=(*BARE.messages, Message("assistant", "student")))
    assert (ends.ask, ends.response) == (ends.messages, "")
    taught = logged.answering("teacher")
    assert (taught.ask, taught.response, taught.answered) == (logged.messages, "teacher", True)
    assert [m.trained for m in taught.messages] == [False, False, False, True]


def test_a_stamp_joins_the_lineage_at_its_end() -> None:
    assert FULL.stamped("gate", parents=["p-2"]).lineage == (*FULL.lineage, Stamp("gate", parents=("p-2",)))


def test_a_score_is_found_by_its_name() -> None:
    assert (FULL.score("other"), FULL.score("none"), BARE.score("judge")) == (1, None, None)


def test_the_schema_does_not_depend_on_the_rows() -> None:
    assert pa.concat_tables([table([BARE]), table([FULL]), table([])]).num_rows == 2
