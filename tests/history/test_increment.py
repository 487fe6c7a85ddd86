"""Increments closed over the tallies of real steps, from prompts to sides; only the answers are made up."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.dedup.answers import OneAnswer
from tasks.dedup.prompts import OnePrompt
from tasks.gate.rows import RowGates
from tasks.history.asked import Asked
from tasks.history.increment import Closed, Read, finished, settled, stopped
from tasks.history.past import NOTHING, Past
from tasks.loop import Bench, run
from tasks.publish.split import Split
from tasks.pull.source import UNREADABLE
from tasks.record import Record
from tasks.schema import DROPPED, SCHEMA, records, table
from tasks.shard import write, write_records
from tasks.tally import Tally, Unbalanced
from tasks.text import key
from tests.rows import answered, ask, past

QUESTIONS = {
    "l-00001": "Which lamp is the best one for reading in bed at night",
    "l-00002": "Which lamp is the best one for reading in bed at night?",  # falls to 1 as a prompt
    "l-00003": "Which lamp is the best one for reading outside at night",  # falls to 1 as an answer
    "l-00004": "给我讲讲灯塔的历史，越详细越好",  # judged too low
    "l-00005": "给我讲讲灯塔的历史，越详细越好！",  # falls to 4 as a prompt
    "l-00006": "How tall is a copper bridge over a river?",  # waits
    "l-00007": "桥上的风有多大？",
}
LAMP = "Take a small lamp with a warm light and a shade."
BAD = {"log_id": "l-00009", "source": "logs", "file": "logs.jsonl", "line": 9, "reason": "not JSON", "raw": b"{"}


def pulled() -> pa.Table:
    return table(ask(text, int(i[2:]), user=f"u-{i[-1]}") for i, text in QUESTIONS.items())


def read(folder: Path) -> Read:
    shards = [write(pulled().slice(i, 4), folder / "pulled" / f"{i}.parquet") for i in (0, 4)]
    return Read(tuple(shards), pa.Table.from_pylist([BAD], schema=UNREADABLE), seen=3)


async def early(given: Read, folder: Path, before: Past = NOTHING) -> Tally:
    return await run(OnePrompt(0.7, before), given.records, Bench(folder, 7))


async def late(asked: Sequence[Record], folder: Path, before: Past = NOTHING) -> tuple[list[Tally], pa.Table]:
    """The stages after the dedup of prompts, and the rows to publish."""
    waits = [r for r in asked if "bridge" in r.instruction]
    said = [
        answered(r, LAMP if "lamp" in r.instruction else r.instruction[::-1], 1 if "灯塔" in r.instruction else 5)
        for r in asked
        if r not in waits
    ]
    shards = (write_records(said, folder / "said.parquet"),)
    pending = (write_records(waits, folder / "waits.parquet"),)
    tallies = [Tally("distill", len(asked), out=len(said), pending=len(waits), shards=shards, pending_in=pending)]
    for step in (RowGates(4.0), OneAnswer(past=before), Split(past=before)):
        tallies.append(await run(step, tallies[-1].balanced().shards, Bench(folder, 7)))
    return tallies, pa.concat_tables([s.table() for s in tallies[-1].shards])


async def closed(folder: Path, before: Past = NOTHING) -> tuple[Closed, pa.Table]:
    given = read(folder)
    first = await early(given, folder, before)
    rest, rows = await late([r for s in first.shards for r in s.records()], folder, before)
    return finished(given, [first], rest, rows), rows


async def test_a_run_that_ends_accounts_for_every_row(tmp_path: Path):
    done, rows = await closed(tmp_path)
    states = {i: state for i, (state, _, _) in done.ledger.states.items()}
    assert states == {
        "l-00001": "published",
        "l-00002": "merged",
        "l-00003": "merged",
        "l-00004": "gated:low_score",
        "l-00005": "gated:low_score",
        "l-00006": "pending",
        "l-00007": "published",
        "l-00009": "unreadable",
    }
    assert done.ledger.counts["seen"] == 3
    lamp = next(r for r in records(rows) if "lamp" in r.instruction)
    assert {i for i, (_, into, _) in done.ledger.states.items() if into == lamp.row_id} == set(lamp.roots)


async def test_what_waits_is_kept_as_it_was_pulled(tmp_path: Path):
    done, _ = await closed(tmp_path)
    assert done.tables["pending"].equals(pulled().slice(5, 1))
    assert done.tables["unreadable"].equals(read(tmp_path).unreadable)
    assert set(done.tables["ledger"].column("user").to_pylist()) == {"", *(f"u-{i}" for i in range(1, 8))}


async def test_dropped_rows_are_kept_with_their_reason(tmp_path: Path):
    done, _ = await closed(tmp_path)
    assert sorted(done.tables["dropped"].column("reason").to_pylist()) == [
        "gated:low_score",
        "merged",
        "merged",
        "merged",
    ]
    assert done.tables["dropped"].column_names[: len(SCHEMA)] == SCHEMA.names


async def test_what_fell_to_another_says_which_published_row_that_is(tmp_path: Path):
    """2 fell to 1 as a prompt, 3 fell to 1 as an answer; 5 fell to 4, which was not published."""
    done, rows = await closed(tmp_path)
    lamp = next(r for r in records(rows) if "lamp" in r.instruction)
    into = {r["roots"][0]: r["into"] for r in done.tables["dropped"].to_pylist() if r["reason"] == "merged"}
    assert into.pop("l-00005") == ask(QUESTIONS["l-00004"]).prompt_id
    assert into == dict.fromkeys(into, lamp.row_id)
    assert len(into) == 2


def test_what_fell_twice_leads_to_the_row_at_the_end():
    gone = [
        {"prompt_id": "p-1", "reason": "merged", "into": "p-1"},
        {"prompt_id": "p-2", "reason": "merged", "into": "p-1"},
        {"prompt_id": "p-3", "reason": "merged", "into": "r-9"},
        {"prompt_id": "p-4", "reason": "rejected_before", "into": "p-8"},
        {"prompt_id": "p-5", "reason": "low_score", "into": ""},
        {"prompt_id": "p-1", "reason": "merged", "into": "p-0"},
    ]
    ends = settled(pa.Table.from_pylist(gone), {"p-0": "r-0"}).column("into").to_pylist()
    assert ends == ["r-0", "r-0", "r-9", "p-8", "", "r-0"]


async def test_prompts_that_were_asked_are_remembered_with_their_fate(tmp_path: Path):
    done, rows = await closed(tmp_path)
    asked = {a.last: a for a in (Asked(**r) for r in done.tables["asked"].to_pylist())}
    lamp, shade, story = (asked[key(QUESTIONS[i])] for i in ("l-00001", "l-00003", "l-00004"))
    assert len(asked) == 4  # neither those that fell to another as prompts, nor the one that waits
    assert (lamp.fate, lamp.side != "", lamp.row_id) == ("published", True, records(rows)[0].row_id)
    assert (shade.fate, shade.row_id) == ("merged", lamp.row_id)
    assert (story.fate, story.row_id, story.side) == ("gated:low_score", "", "")


async def test_the_same_rows_again_are_known_in_the_next_run(tmp_path: Path):
    done, rows = await closed(tmp_path / "1")
    segment = write(done.tables["asked"], tmp_path / "asked.parquet")
    done, again = await closed(tmp_path / "2", Past((segment,), tmp_path / "index"))
    lamp = next(r for r in records(rows) if "lamp" in r.instruction)
    assert again.num_rows == 0
    assert done.ledger.counts == {
        "dropped:rejected_before": 2,
        "merged": 4,
        "pending": 1,
        "seen": 3,
        "unreadable": 1,
    }
    assert done.ledger.states["l-00003"][:2] == ("merged", lamp.row_id)
    assert done.tables["asked"].num_rows == 0


async def test_a_like_answer_to_a_prompt_that_was_rejected_before_is_still_accounted_for(tmp_path: Path):
    rejected = answered(ask(QUESTIONS["l-00003"]), LAMP, 1)
    done, rows = await closed(tmp_path, past(tmp_path, [Asked.of(rejected, "gated:low_score")]))
    assert done.ledger.states["l-00001"][0] == "published"
    assert done.ledger.states["l-00003"][0] == "dropped:rejected_before"
    assert rows.num_rows == 2


async def test_a_run_that_was_stopped_keeps_all_that_the_teacher_was_to_see(tmp_path: Path):
    given = read(tmp_path)
    first = await early(given, tmp_path)
    gone = records(pulled())[6]
    noise = write(
        pa.Table.from_pylist([gone.row() | {"reason": "greeting", "detail": "", "into": ""}], schema=DROPPED),
        tmp_path / "gone.parquet",
    )
    worth = Tally("worth", 7, out=6, dropped={"greeting": 1}, dropped_in=(noise,))
    done = stopped(given, [worth, first])
    assert done.ledger.counts == {"dropped:greeting": 1, "pending": 6, "seen": 3, "unreadable": 1}
    assert done.tables["pending"].equals(pulled().slice(0, 6))
    assert done.tables["asked"].num_rows == 0


async def test_a_stopped_run_lets_go_of_what_merged_into_a_published_row(tmp_path: Path):
    published = Asked.of(answered(ask(QUESTIONS["l-00004"]), "很久以前"), "published")
    first = await early(read(tmp_path), tmp_path, past(tmp_path, [published]))
    done = stopped(read(tmp_path), [first])
    assert done.ledger.counts == {"merged": 2, "pending": 5, "seen": 3, "unreadable": 1}
    assert done.ledger.states["l-00005"][:2] == ("merged", published.row_id)


async def test_pending_rows_go_on_in_the_next_run(tmp_path: Path):
    first = await early(read(tmp_path), tmp_path / "1")
    waiting = stopped(read(tmp_path), [first]).tables["pending"]
    again = Read((write(waiting, tmp_path / "waiting.parquet"),), UNREADABLE.empty_table())
    second = await early(again, tmp_path / "2")
    rest, rows = await late([r for s in second.shards for r in s.records()], tmp_path / "2")
    assert finished(again, [second], rest, rows).ledger.counts == {
        "gated:low_score": 2,
        "merged": 2,
        "pending": 1,
        "published": 2,
    }


async def test_a_row_that_no_stage_accounts_for_is_a_fault(tmp_path: Path):
    given = read(tmp_path)
    first = await early(given, tmp_path)
    rest, rows = await late([r for s in first.shards for r in s.records()], tmp_path)
    with pytest.raises(Unbalanced, match="log rows have no state"):
        finished(given, [first], rest, rows.slice(1))
    with pytest.raises(Unbalanced, match="is both"):
        finished(given, [first, first], [*rest, *rest], rows)


def test_an_empty_run_closes():
    done = finished(Read((), UNREADABLE.empty_table()), [], [], SCHEMA.empty_table())
    assert done.ledger.counts == {}
    assert {n: t.num_rows for n, t in done.tables.items()} == dict.fromkeys(
        ("ledger", "asked", "pending", "dropped", "unreadable"), 0
    )
