"""The commands that look at a dataset, on one that was committed here: two versions, a merge, a call store."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.commands import flywheel
from tasks.history.dataset import Dataset, Entry, digest
from tasks.history.increment import Read, finished
from tasks.prompt import load
from tasks.publish.exports import export
from tasks.publish.finish import finish, manifest
from tasks.publish.verify import verify
from tasks.publish.version import SIDES, parent_rows, published, stage, with_roots
from tasks.pull.source import UNREADABLE
from tasks.recipe import PROJECT, Recipe
from tasks.record import Message, Record
from tasks.schema import table
from tasks.shard import write_json, write_records, write_text
from tasks.teacher.ask import wire
from tasks.teacher.outcomes import Reply
from tasks.teacher.store import CallStore, Stored
from tasks.transcript import asked
from tests.flows.forked import Done
from tests.rows import answered, ask

RECIPE = Recipe.model_validate({"output": {"name": "mine"}})
FINDINGS = [{"rule": "has_rows", "severity": "critical", "passed": True, "observed": "4", "expected": "min 1"}]


def row(number: int, text: str, side: str = "train") -> Record:
    record = ask(text, number, split=side)
    made = answered(record, f"{text} {number}")
    return made.stamped("judge/verdict", load("judge/verdict", record.language).sha256, "teacher")


FIRST = [row(1, "Which lamp is best for a desk?"), row(2, "请写一首关于秋天的诗"), row(3, "桥有多高？", "test")]
SECOND = [row(4, "How tall is the old bridge?", "validation"), row(5, "斑马吃什么？")]
AGAIN = ask("which lamp is best for a desk", 9)


def turn(dataset: Dataset, rows: Sequence[Record], merged: dict[str, Record] | None = None) -> Entry:
    """One turn of the wheel: the rows published as they are, and log rows merged into published ones."""
    into = merged or {}
    pulled = (write_records(rows, dataset.work / "pulled.parquet"),)
    closed = finished(Read(pulled, UNREADABLE.empty_table()), [], [], table(rows))
    for row_id, record in into.items():
        closed.ledger.enter(record.roots, "merged", row_id)
    tables = closed.tables | {"ledger": closed.ledger.table({})}
    base, number, folder = dataset.base, dataset.next_version("minor"), dataset.work / "version"
    old, new = parent_rows(dataset.versions / base if base else None), published(table(rows))
    grown = {row_id: record.roots for row_id, record in into.items()}
    files = stage(folder, {s: pa.concat_tables([with_roots(old[s], grown), new[s]]) for s in SIDES})
    chain = [{"seq": e.seq, "sha256": digest(e, dataset)} for e in dataset.chain] + [{"seq": dataset.next_seq}]
    ledger, sides, as_of = closed.ledger.counts, parent_rows(folder), max(r.asked_at for r in rows).isoformat()
    plain = manifest(RECIPE, number, base, files, sides, {}, as_of, chain, ledger, len(rows))
    plain["exports"] = export(folder, folder, RECIPE.output.exports)
    finish(folder, plain, sides, FINDINGS, [], ["judge/verdict"], "en", dataset.versions / base if base else None)
    parent, sources = dataset.head.seq if dataset.head else None, [{"uri": "logs.jsonl", "watermark": as_of}]
    entry = Entry(dataset.next_seq, "published", parent, number, number, "teacher", sources, ledger)
    return dataset.commit(entry, tables, folder)


async def remember(path: Path) -> None:
    """The calls for two rows: a verdict on a transcript, a direct answer, and a question that only holds the other."""
    lamp, poem = FIRST[0], FIRST[1]
    verdict = load("judge/verdict", "en").fill(conversation=asked(lamp), answer=lamp.response)
    turns = {"system": (), "examples": (), "conversation": poem.ask}
    direct = load("answer/direct", "zh").fill(turns)
    longer = load("answer/direct", "en").fill(
        turns | {"conversation": (Message("user", lamp.instruction + " Say why."),)}
    )
    async with CallStore(path) as store:
        for i, (sent, said) in enumerate([(verdict, '{"score": 5}'), (direct, poem.response), (longer, "Light.")]):
            body = json.dumps({"messages": wire(sent.messages), "max_tokens": 9}, ensure_ascii=False)
            store.put(Stored(f"k{i}", "good", 9, 0.5, f"2026-01-05T00:00:0{i}", body, Reply(said)))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = tmp_path_factory.mktemp("lake")
    with (made := Dataset(lake / "mine")).held():
        turn(made, FIRST)
        turn(made, SECOND, {FIRST[0].row_id: AGAIN})
    asyncio.run(remember(made.calls))
    return lake


@pytest.fixture
def lake(built: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    shutil.copytree(built, tmp_path / "lake")
    return tmp_path / "lake"


Call = Callable[..., Done]


@pytest.fixture
def call(lake: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    def called(*arguments: str, name: str = "mine") -> Done:
        code = flywheel.main([*arguments, "--out", str(lake), "--name", name], standalone_mode=False)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return called


def tree(folder: Path) -> dict[str, bytes]:
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    return {n: p.read_bytes() for n, p in files.items() if ".sqlite-" not in n}


def test_versions_names_rows_new_rows_parent_and_which_is_in_force(call: Call):
    first, second = call("versions", "--json").json["versions"]
    assert [first[k] for k in ("version", "rows", "new", "parent", "in_force")] == ["1.0.0", 3, 3, None, False]
    assert [second[k] for k in ("version", "rows", "new", "parent", "in_force")] == ["1.1.0", 5, 2, "1.0.0", True]
    assert second["as_of"] == SECOND[-1].asked_at.isoformat()
    lines = call("versions").out.splitlines()
    assert lines[0].split() == ["version", "rows", "new", "parent", "as", "of"]
    assert "in force" not in lines[1]
    assert lines[2].endswith("LATEST, in force")


def test_show_says_what_is_in_a_version_and_defaults_to_the_one_in_force(call: Call):
    page = call("show").out
    assert "mine 1.1.0, in force" in page
    for said in (
        "5, 2 of them new",
        "1 test, 3 train, 1 validation",
        "3 zh, 2 en",
        "5 writing",
        "✓ has_rows",
        "2 published",
    ):
        assert said in page
    plain = call("show", "1.0.0", "--json").json
    assert (plain["version"], plain["counts"]["language"]) == ("1.0.0", {"zh": 2, "en": 1})
    assert plain["manifest"]["splits"] == {"train": 2, "validation": 0, "test": 1}


def test_diff_counts_what_came_what_went_and_what_grew(call: Call):
    there = call("diff", "1.0.0", "1.1.0", "--json").json
    assert there["added"]["row_ids"] == sorted(r.row_id for r in SECOND)
    assert there["added"]["languages"] == {"en": 1, "zh": 1}
    assert (there["removed"]["rows"], there["same"]) == (0, 2)
    assert there["grown"] == {FIRST[0].row_id: ["l-00009"]}
    back = call("diff", "1.1.0", "1.0.0", "--json").json
    assert (back["removed"]["rows"], back["grown"], back["changed"]) == (2, {}, {FIRST[0].row_id: ["roots"]})
    assert "2 added" in call("diff", "1.0.0", "1.1.0").out


def test_diff_finds_a_label_that_changed_and_a_prompt_that_was_answered_anew(tmp_path: Path, call: Call):
    lake = tmp_path / "lake" / "mine" / "versions" / "1.1.0"
    relabelled = replace(FIRST[1], task_type="code")
    stage(lake, published(table([answered(FIRST[0], "Another answer."), relabelled, FIRST[2]])))
    found = call("diff", "1.0.0", "1.1.0", "--json").json
    assert found["changed"] == {FIRST[1].row_id: ["task_type"]}
    assert found["reanswered"] == [FIRST[0].prompt_id]
    assert (found["added"]["rows"], found["removed"]["rows"]) == (1, 1)


def test_trace_finds_the_logs_the_prompt_files_and_the_calls_of_a_row(call: Call):
    plain = call("trace", FIRST[0].row_id, "--json").json
    assert (plain["split"], plain["version"]) == ("train", "1.1.0")
    states = [(s["log_id"], s["state"], s["into"], s["increment"], s["sources"]) for s in plain["logs"]]
    row_id = FIRST[0].row_id
    assert states == [
        ("l-00001", "published", row_id, 1, ["logs.jsonl"]),
        ("l-00009", "merged", row_id, 2, ["logs.jsonl"]),
    ]
    (stamp,) = plain["lineage"]
    assert stamp["files"] == ["prompts/judge/verdict.en.toml"]
    assert stamp["prompt"] == load("judge/verdict", "en").sha256
    (one,) = plain["calls"]
    assert (one["step"], one["reply"]["text"]) == ("judge/verdict", '{"score": 5}')
    assert FIRST[0].response in one["request"]["messages"][-1]["content"]


def test_trace_finds_a_direct_answer_to_a_chinese_prompt_and_prints_it(call: Call):
    (one,) = call("trace", FIRST[1].row_id, "--json").json["calls"]
    assert one["reply"]["text"] == FIRST[1].response
    page = call("trace", FIRST[1].row_id).out
    for said in (FIRST[1].instruction, "l-00002 published", "Its calls: 1", "sha256 "):
        assert said in page
    assert not any(line.rstrip().endswith("from") for line in page.splitlines())


def test_trace_in_an_older_version_knows_what_was_known_then(call: Call):
    plain = call("trace", FIRST[0].row_id, "--version", "1.0.0", "--json").json
    assert [s["log_id"] for s in plain["logs"]] == ["l-00001"]


def test_trace_of_a_log_row_says_into_which_published_row_it_went(call: Call):
    plain = call("trace", "l-00009", "--json").json
    assert (plain["state"], plain["into"], plain["increment"]) == ("merged", FIRST[0].row_id, 2)
    assert (
        f"merged into a row (the same question): {FIRST[0].row_id}, read by run 2 from logs.jsonl"
        in call("trace", "l-00009").out
    )


def test_trace_of_a_log_row_that_nobody_read_says_so(call: Call):
    done = call("trace", "l-00077")
    assert (done.code, "has read a log row l-00077" in done.err) == (2, True)


def test_trace_without_a_call_store_says_the_rest(lake: Path, call: Call):
    (lake / "mine" / "calls.sqlite").unlink()
    assert call("trace", FIRST[0].row_id, "--json").json["calls"] == []
    assert not (lake / "mine" / "calls.sqlite").exists()


def test_terminal_escapes_of_a_log_are_shown_and_not_obeyed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    hostile = row(1, "Clear \x1b[2J my screen please")
    with (made := Dataset(tmp_path / "mine")).held():
        turn(made, [hostile])
    flywheel.main(["trace", hostile.row_id, "--out", str(tmp_path), "--name", "mine"], standalone_mode=False)
    page = capsys.readouterr().out
    assert "\x1b" not in page
    assert "Clear \\x1b[2J my screen" in page


def test_increments_says_what_each_run_came_to(call: Call):
    call("rollback", "1.0.0")
    first, second, third = call("increments", "--json").json["increments"]
    assert (first["kind"], first["ledger"], first["rolled_back"]) == ("published", {"published": 3}, False)
    assert (second["ledger"], second["rolled_back"]) == ({"merged": 1, "published": 2}, True)
    assert (third["kind"], third["parent"], third["base"], third["rolled_back"]) == ("rollback", 1, "1.0.0", False)
    assert "2 published, 1 merged (rolled back)" in call("increments").out


def test_a_rollback_puts_an_older_version_in_force_and_can_be_taken_back(lake: Path, call: Call):
    assert "1.0.0 is in force, it was 1.1.0" in call("rollback", "1.0.0").out
    assert (lake / "mine" / "LATEST").read_text() == "1.0.0\n"
    assert [v["in_force"] for v in call("versions", "--json").json["versions"]] == [True, False]
    assert "rolled back" in call("versions").out
    assert call("verify").code == call("verify", "1.1.0").code == 0
    assert call("rollback", "1.1.0", "--json").json["before"] == "1.0.0"
    assert "in force already" in call("rollback", "1.1.0").out
    assert Dataset(lake / "mine").next_seq == 5


def test_a_rollback_waits_for_nobody_while_another_run_holds_the_dataset(lake: Path, call: Call):
    with Dataset(lake / "mine").held():
        done = call("rollback", "1.0.0")
    assert (done.code, "another run holds" in done.err) == (6, True)


def test_looking_changes_no_file(lake: Path, call: Call):
    before = tree(lake)
    for arguments in (["versions"], ["show"], ["diff", "1.0.0", "1.1.0"], ["trace", FIRST[0].row_id], ["verify"]):
        assert call(*arguments).code == 0
    assert call("increments").code == 0
    assert tree(lake) == before


def test_a_dataset_as_it_was_committed_is_well(call: Call):
    for version in ("1.0.0", "1.1.0"):
        done = call("verify", version, "--json")
        assert (done.code, done.json["findings"], done.json["well"]) == (0, [], True)
    assert done.json["checked"]["rows"] == 5
    assert "all is well" in call("verify").out


TRAIN = "versions/1.1.0/data/chat/train-00000-of-00001.parquet"


def flipped(folder: Path, name: str) -> None:
    raw = bytearray((folder / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / name).write_bytes(bytes(raw))


def rewritten(folder: Path, change: Callable[[pa.Table], pa.Table], name: str = TRAIN) -> None:
    pq.write_table(change(pq.read_table(folder / name)), folder / name)


def said_otherwise(rows: pa.Table) -> pa.Table:
    turns = rows.column("messages").to_pylist()
    turns[0][-1]["content"] = "not what the teacher said"
    return rows.set_column(
        rows.schema.get_field_index("messages"),
        rows.schema.field("messages"),
        pa.array(turns, rows.schema.field("messages").type),
    )


def changed(path: Path, **fields: Any) -> None:
    write_json(json.loads(path.read_text()) | fields, path)


def miscounted(path: Path) -> None:
    plain = json.loads(path.read_text())
    plain["exports"]["alpaca"]["files"][0]["rows"] = 9
    write_json(plain, path)


BREAKS: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "a byte": (lambda d: flipped(d, TRAIN), "files", "has other bytes than when it was written"),
    "a file gone": (lambda d: (d / TRAIN).unlink(), "files", "train-00000-of-00001.parquet is missing"),
    "a file more": (
        lambda d: write_text("x", d / "versions/1.1.0/data/chat/y"),
        "files",
        "data/chat/y is not in the manifest",
    ),
    "a prompt edited": (
        lambda d: write_text("x", d / "versions/1.1.0/prompts/judge/verdict.zh.toml"),
        "files",
        "verdict.zh.toml",
    ),
    "an export cut": (
        lambda d: write_text("{}\n", d / "versions/1.1.0/exports/swift/train.jsonl"),
        "files",
        "exports/swift/train.jsonl has 3 bytes",
    ),
    "an export gone": (
        lambda d: (d / "versions/1.1.0/exports/alpaca/test.json").unlink(),
        "files",
        "exports/alpaca/test.json is missing",
    ),
    "an export more": (
        lambda d: write_text("x", d / "versions/1.1.0/exports/alpaca/mine.json"),
        "files",
        "exports/alpaca/mine.json is not in the manifest",
    ),
    "an export that is counted wrong": (
        lambda d: miscounted(d / "versions/1.1.0/manifest.json"),
        "files",
        "exports/alpaca/train.json has 3 rows, expected 9",
    ),
    "a card edited": (lambda d: write_text("x", d / "versions/1.1.0/README.md"), "files", "README.md has other"),
    "a column gone": (lambda d: rewritten(d, lambda t: t.drop_columns(["tags"])), "schema", "another Arrow schema"),
    "an answer edited": (lambda d: rewritten(d, said_otherwise), "rows", "row_id is not the hash"),
    "a row gone": (lambda d: rewritten(d, lambda t: t.slice(1)), "rows", "the files hold 1 test, 2 train"),
    "no manifest": (lambda d: (d / "versions/1.1.0/manifest.json").unlink(), "manifest", "cannot be read"),
    "another number": (
        lambda d: changed(d / "versions/1.1.0/manifest.json", version="3.0.0"),
        "manifest",
        "version 3.0.0",
    ),
    "LATEST behind": (lambda d: write_text("1.0.0\n", d / "LATEST"), "latest", "LATEST says 1.0.0"),
    "LATEST gone": (lambda d: (d / "LATEST").unlink(), "latest", "LATEST says nothing"),
    "an entry edited": (
        lambda d: changed(d / "increments/00001/entry.json", why="x"),
        "increments",
        "was changed since",
    ),
    "an entry cut": (lambda d: write_text("{", d / "increments/00002/entry.json"), "increments", "cannot be read"),
    "a ledger edited": (
        lambda d: flipped(d, "increments/00001/ledger.parquet"),
        "increments",
        "ledger.parquet has other",
    ),
    "a ledger gone": (lambda d: (d / "increments/00002/ledger.parquet").unlink(), "ledger", "cannot be read"),
    "an increment gone": (lambda d: shutil.rmtree(d / "increments/00001"), "increments", "goes on from increment 1"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_verify_finds_what_was_broken_and_says_it_in_a_sentence(lake: Path, call: Call, what: str):
    broken, check, said = BREAKS[what]
    broken(lake / "mine")
    done = call("verify", "--json")
    assert done.code == 1
    assert any(f["check"] == check and said in f["what"] for f in done.json["findings"]), done.json["findings"]
    page = call("verify")
    assert (page.code, said in page.out, page.err) == (1, True, "")


def test_verify_finds_a_row_on_two_sides_and_a_near_duplicate_of_a_test_row_in_train(tmp_path: Path):
    english = "Please explain to me in a few sentences how a suspension bridge carries its load"
    chinese = "请用几句话给我讲清楚悬索桥是怎样把桥面的重量传到两岸的"
    near = [
        row(1, english, "test"),
        row(2, english + "!!", "train"),
        row(3, chinese, "test"),
        row(4, chinese + "呢", "train"),
    ]
    twice = [row(5, "猫为什么怕水？", "test"), replace(row(5, "猫为什么怕水？", "train"), roots=("l-00006",))]
    with (made := Dataset(tmp_path)).held():
        turn(made, [*near, *twice])
    split = [f.what for f in verify(made).findings if f.check == "split"]
    assert any("near-duplicate of one of test: 3 rows" in what and near[1].row_id in what for what in split)
    assert any("on two sides, test and train: 1 row" in what for what in split)


def test_verify_finds_a_row_that_is_there_twice(lake: Path):
    rewritten(lake / "mine", lambda t: pa.concat_tables([t, t.slice(0, 1)]))
    assert any(f.what.startswith("a row is there twice: 1 row") for f in verify(Dataset(lake / "mine")).findings)


def test_verify_finds_rows_that_no_ledger_accounts_for_and_rows_that_changed_sides(lake: Path):
    made = Dataset(lake / "mine")
    folder = made.versions / "1.1.0"
    moved, stranger = replace(FIRST[2], split="train"), row(77, "Who is this stranger?")
    stolen = replace(SECOND[1], roots=("l-00001",))
    (folder / "data/chat/test-00000-of-00001.parquet").unlink()
    pq.write_table(published(table([moved, stranger, stolen]))["train"], lake / "mine" / TRAIN)
    found = {f.what for f in verify(made).findings}
    assert any(what.startswith("a published row stands on a log row that no ledger has: 1 row") for what in found)
    assert any("another state" in what and "l-00001 is published" in what for what in found)
    assert any("(from test to train)" in what for what in found)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "7.0.0"], "there is no version 7.0.0"),
        (["verify", "7.0.0"], "published were 1.0.0, 1.1.0"),
        (["rollback", "7.0.0"], "there is no version 7.0.0"),
        (["diff", "1.0.0", "nonsense"], "there is no version nonsense"),
        (["trace", "r-nobody"], "version 1.1.0 has no row r-nobody"),
    ],
)
def test_what_is_not_there_is_one_sentence_and_exit_code_2(call: Call, arguments: list[str], said: str):
    done = call(*arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert said in done.err
    assert said in call(*arguments, "--json").json["error"]["what"]


def test_a_dataset_that_is_not_there_is_told_with_the_nearest_one(lake: Path, call: Call):
    done = call("versions", name="mien")
    assert (done.code, "did you mean --name mine" in done.err) == (2, True)
    assert call("rollback", "1.0.0", name="../mine").code == 2
    assert sorted(p.name for p in lake.iterdir()) == ["mine"]


def test_a_version_whose_folder_is_gone_is_listed_and_not_gone_back_to(lake: Path, call: Call):
    shutil.rmtree(lake / "mine" / "versions" / "1.0.0")
    assert "folder gone" in call("versions").out
    done = call("rollback", "1.0.0")
    assert (done.code, "its folder is gone" in done.err) == (2, True)


def test_a_version_that_made_room_is_listed_and_every_command_says_what_became_of_it(lake: Path, call: Call):
    with (made := Dataset(lake / "mine")).held():
        turn(made, [row(6, "Why is the sea salty?")])
        assert made.retire(1) == ["1.0.0"]
    first, *others = call("versions", "--json").json["versions"]
    assert (first["there"], first["removed_by"], [v["removed_by"] for v in others]) == (False, "1.2.0", [None, None])
    assert "removed by 1.2.0" in call("versions").out.splitlines()[1]
    for arguments in (["show", "1.0.0"], ["diff", "1.0.0", "1.2.0"], ["rollback", "1.0.0"], ["verify", "1.0.0"]):
        done = call(*arguments)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "version 1.0.0 was removed when 1.2.0 was published" in done.err
    assert call("verify").code == 0


def test_export_writes_the_same_files_as_the_version_has_and_only_where_nothing_stands(
    lake: Path, tmp_path: Path, call: Call
):
    to, version = tmp_path / "out", lake / "mine" / "versions" / "1.1.0"
    done = call("export", "--to", str(to), "--json")
    assert (done.code, done.json["version"]) == (0, "1.1.0")
    files = {p.relative_to(version).as_posix(): p.read_bytes() for p in version.glob("exports/*/*")}
    assert files
    assert {p.relative_to(to).as_posix(): p.read_bytes() for p in to.glob("exports/*/*")} == files
    assert (to / "dataset_info.json").read_bytes() == (version / "dataset_info.json").read_bytes()
    done = call("export", "--to", str(to))
    assert (done.code, "is not empty" in done.err, done.err.count("\n")) == (2, True, 1)
    done = call("export", "1.0.0", "--format", "swift", "--to", str(tmp_path / "old"))
    assert (done.code, "exports/swift/train.jsonl" in done.out) == (0, True)
    assert [p.name for p in (tmp_path / "old" / "exports").iterdir()] == ["swift"]
    assert call("export", "--to", "/dev/null/x").code == 2


def test_a_log_that_cannot_be_read_is_one_sentence_that_names_verify(lake: Path, call: Call):
    write_text("{", lake / "mine" / "increments" / "00001" / "entry.json")
    for arguments in (["versions"], ["show"], ["increments"], ["trace", "r-1"]):
        done = call(*arguments)
        assert (done.code, "flywheel verify" in done.err, done.err.count("\n")) == (2, True, 1)


def test_a_recipe_names_the_dataset_too(lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine.yaml").write_text(f"output: {{dir: {lake}, name: mine}}", encoding="utf-8")
    assert flywheel.main(["versions", "--recipe", str(tmp_path / "mine.yaml")], standalone_mode=False) == 0
    assert "1.1.0" in capsys.readouterr().out


def test_the_commands_start_without_prefect_and_usage_ends_with_2(lake: Path):
    script = "import sys; from flows.commands import flywheel; c = flywheel.main(sys.argv[1:], standalone_mode=False); "
    script += "assert not {'prefect', 'great_expectations', 'openai'} & sys.modules.keys(), 'slow'; sys.exit(c)"
    env = os.environ | {"PYTHONPATH": str(PROJECT)}
    for command in (["verify"], ["trace", FIRST[0].row_id], ["diff", "1.0.0", "1.1.0"], ["rollback", "1.0.0"]):
        there = [sys.executable, "-c", script, *command, "--out", str(lake), "--name", "mine"]
        done = subprocess.run(there, capture_output=True, text=True, env=env, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
    wrong = [sys.executable, "-c", "from flows.commands import main; main()", "diff", "1.0.0"]
    done = subprocess.run(wrong, capture_output=True, text=True, env=env, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
