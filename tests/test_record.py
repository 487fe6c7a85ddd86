"""The record and its ids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.record import SPELT, Message, Record, Stamp, identity, licences, message, spelt, turn
from tests.rows import BARE, FULL


def test_a_turn_comes_back_from_its_plain_form() -> None:
    assert [message(turn(m)) for m in FULL.messages] == list(FULL.messages)


ASCII = "".join(map(chr, range(128)))


@pytest.mark.parametrize(
    "said",
    [*FULL.messages, Message("user", '"\\\x00\u2028\ud800\n🙂'), Message("tool", ASCII, ASCII)],
    ids=lambda m: m.role,
)
def test_a_turn_is_spelt_as_json_spells_its_plain_form(said: Message) -> None:
    assert spelt(said) == SPELT.encode(turn(said)).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("record", [FULL, BARE, Record(("m-1",), (), BARE.asked_at, passage="一段")])
def test_both_ids_at_once_are_those_that_each_alone_is(record: Record) -> None:
    assert record.ids == (record.prompt_id, record.row_id)


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


def test_a_record_made_of_another_falls_under_its_licence_too() -> None:
    own = replace(BARE, licence="CC-BY-SA-4.0")
    made = own.derived("evol_instruct", BARE.messages)
    assert made.licence == "CC-BY-SA-4.0"
    assert licences(made.licence, "MIT") == "CC-BY-SA-4.0 AND MIT"
    assert licences("CC-BY-SA-4.0 AND MIT", "MIT") == "CC-BY-SA-4.0 AND MIT"
    assert (licences("", "MIT"), licences("MIT", ""), licences()) == ("MIT", "MIT", "")
