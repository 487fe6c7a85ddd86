"""Which records a link of a chain takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.link import Linked, Only, kinds, makers
from tasks.loop import Bench, rows_taken, run
from tasks.produce.robust import Robust
from tasks.record import Message, Record, begun
from tasks.schema import SCHEMA, conformed, table
from tasks.shard import write_records
from tasks.tally import total
from tests.rows import answered, ask

PROMPTS = [replace(ask(t, i), task_type=k) for i, (t, k) in enumerate([("Why?", "code"), ("为什么？", "writing")])]
ROW = answered(ask("How?", 7), "So.")
PASSAGE = begun("documents", (), "zh", "a.txt 1", passage="海水是咸的。")
MADE = PROMPTS[0].derived("evol_instruct/deepen", (Message("user", "Why so?"),))
ALL = [*PROMPTS, ROW, PASSAGE, MADE]


def taken(only: Only, records: list[Record] = ALL) -> list[Record]:
    return [r for r, t in zip(records, only.mask(table(records)).tolist(), strict=True) if t]


def test_a_record_is_a_passage_a_prompt_or_a_row_whichever_way_one_asks() -> None:
    assert kinds(table(ALL)).tolist() == [r.kind for r in ALL] == ["prompts", "prompts", "rows", "passages", "prompts"]
    assert kinds(SCHEMA.empty_table()).tolist() == []


def test_who_made_a_record_is_who_asked_it_and_whoever_answered_it_since() -> None:
    assert makers(table(ALL)) == [{"logs"}, {"logs"}, {"logs"}, {"documents"}, {"evol_instruct"}]
    answered_log = PROMPTS[1].answering("因为。").stamped("answer/direct").stamped("rewrite_answer/better")
    answered_made = MADE.answering("So.").stamped("label/task_type").stamped("answer/direct")
    assert makers(table([answered_log, answered_made])) == [
        {"logs", "answer", "rewrite_answer"},
        {"evol_instruct", "answer"},
    ]
    reworded = MADE.derived("round_trip/there", (Message("user", "为何如此？"),)).stamped("round_trip/back")
    assert makers(table([answered_log, reworded]).slice(1)) == [{"round_trip"}]


@pytest.mark.parametrize("labelled", ["label/task_type", "small_model"])
def test_a_label_does_not_make_a_record_its_own(labelled: str) -> None:
    of_dataset = begun("datasets", (Message("user", "What is 3 + 4?"),), "en", "maths.jsonl 1").stamped(labelled)
    asked = PROMPTS[0].stamped(labelled)
    rows = table([asked, of_dataset, MADE.stamped(labelled)])
    assert makers(rows) == [{"logs"}, {"datasets"}, {"evol_instruct"}]
    assert makers(rows.slice(1, 1)) == [{"datasets"}]
    assert taken(Only(after=("datasets",)), [asked, of_dataset]) == [of_dataset]


@pytest.mark.parametrize(
    ("only", "those"),
    [
        (Only(), [*PROMPTS, MADE]),
        (Only("rows"), [ROW]),
        (Only("passages"), [PASSAGE]),
        (Only(task_types=("code",)), [PROMPTS[0], MADE]),
        (Only(languages=("zh",)), [PROMPTS[1]]),
        (Only(after=("logs",)), PROMPTS),
        (Only(after=("evol_instruct", "nobody")), [MADE]),
        (Only(share=0.0), []),
    ],
)
def test_each_setting_of_only_takes_what_it_says(only: Only, those: list[Record]) -> None:
    assert taken(only) == those


async def test_a_link_counts_what_it_takes_and_what_it_lets_pass(tmp_path: Path) -> None:
    shard, step = write_records(ALL, tmp_path / "all.parquet"), Robust()
    bench = Bench(tmp_path / "work", seed=7)
    for only in (Only(), Only(languages=("zh",)), Only(after=("logs",)), Only(share=0.0)):
        link, mine = Linked(step, "robust", "produce", only), len(taken(only))
        tally = await run(link, [shard], bench)
        assert (rows_taken(link, shard), tally.seen, tally.passed) == (mine, len(ALL), len(ALL) - mine)
        assert total("robust", [tally, tally]).passed == 2 * (len(ALL) - mine)
    prompts = write_records(PROMPTS, tmp_path / "prompts.parquet")
    assert rows_taken(step, prompts) == len(PROMPTS)
    assert (await run(step, [prompts], bench)).passed is None


def test_a_share_is_the_same_in_every_run_and_about_what_it_says() -> None:
    many = [ask(f"question number {i}", i) for i in range(400)]
    drawn = taken(Only(share=0.25), many)
    assert drawn == taken(Only(share=0.25), many)
    assert 60 < len(drawn) < 140
    assert set(drawn) <= set(taken(Only(share=0.5), many))


def test_the_mask_is_the_same_on_a_table_in_pieces() -> None:
    pieces = pa.concat_tables([table([r]) for r in ALL] + [table(ALL).slice(1, 3)])
    assert Only().mask(pieces).tolist() == [True, True, False, False, True, True, False, False]


def test_what_is_made_of_a_record_has_its_labels_its_session_and_an_id_of_its_own() -> None:
    assert MADE.made
    assert not ROW.made
    assert (MADE.task_type, MADE.derived_from, MADE.logs) == ("code", ("l-00000",), ("l-00000",))
    assert MADE.conversation == PROMPTS[0].prompt_id
    assert MADE.lineage[-1].parents == (PROMPTS[0].prompt_id,)
    again = PROMPTS[0].derived("evol_instruct/deepen", (Message("user", "Why so?"),))
    other = PROMPTS[1].derived("evol_instruct/deepen", (Message("user", "Why so?"),))
    assert MADE.roots == again.roots != other.roots
    first, second = (PROMPTS[0].derived("multi_turn", PROMPTS[0].messages, detail=f"conversation {n}") for n in (1, 2))
    assert first.roots != second.roots
    third = MADE.derived("round_trip", MADE.asking("And why?"))
    assert (third.derived_from, third.conversation) == (("l-00000",), PROMPTS[0].prompt_id)
    assert not replace(ROW, vote="up").derived("x", ROW.messages).vote


def test_rows_of_an_older_schema_read_as_rows_of_todays(tmp_path: Path) -> None:
    new = ("derived_from", "passage", "reference", "constraints", "rejected_answers")
    old = table(ALL).drop_columns([*new])
    assert conformed(old).schema.equals(SCHEMA)
    assert conformed(old).column("derived_from").to_pylist() == [[]] * len(ALL)
    assert conformed(table(ALL)).equals(table(ALL))


def test_answers_that_were_rejected_keep_their_column_under_its_name_of_today() -> None:
    rows = table([replace(ROW, rejected_answers=("So what?",))])
    assert conformed(rows.rename_columns([{"rejected_answers": "rejected"}.get(n, n) for n in SCHEMA.names])).equals(
        rows
    )
