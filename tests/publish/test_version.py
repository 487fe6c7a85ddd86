from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.publish import version
from tasks.publish.version import (
    CHAT,
    PAIRS,
    SIDES,
    carry_prompts,
    change,
    content_hash,
    pairs,
    parent_rows,
    published,
    rules,
    stage,
    with_roots,
)
from tasks.record import Record
from tasks.schema import table
from tasks.shard import sha256
from tests.rows import HOSTILE, answered, ask

OLD = [
    answered(ask("Which lamp is best?", 1, split="train"), "The red one."),
    answered(ask("请写一首诗", 2, split="train"), "山高月小，水落石出。", 4.5),
    answered(ask("桥有多高？", 3, split="test"), "三十米。"),
]
NEW = [
    answered(ask("Why is the sky blue? 👍🏽", 4, split="test", before=("Hello", "Hi!")), "It scatters."),
    *(answered(ask(t, 5 + i, split="train"), t) for i, t in enumerate(HOSTILE)),
]


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def ids(rows: pa.Table) -> list[str]:
    return rows.column("row_id").to_pylist()


def sides(rows: list[Record]) -> dict[str, pa.Table]:
    return published(table(rows))


def test_records_become_rows_of_their_side():
    made = sides([*OLD, *NEW])
    assert {s: t.num_rows for s, t in made.items()} == {"train": 2 + len(HOSTILE), "validation": 0, "test": 2}
    assert all(t.schema.equals(CHAT) for t in made.values())
    assert ids(made["test"]) == [OLD[2].row_id, NEW[0].row_id]
    assert made["train"].column("judge_score").to_pylist()[:2] == [5.0, 4.5]


def test_a_row_is_published_as_it_was_written():
    for row, text in zip(sides(NEW)["train"].to_pylist(), HOSTILE, strict=True):
        assert [m["content"] for m in row["messages"]] == [text, text]
        assert [m["trained"] for m in row["messages"]] == [False, True]


def test_pairs_are_the_same_rows_cut_before_the_response():
    chat = sides(NEW)["test"]
    (row,), (whole,) = pairs(chat).to_pylist(), chat.to_pylist()
    assert pairs(chat).schema.equals(PAIRS)
    there = [{k: v for k, v in turn.items() if v} for turn in whole["messages"]]
    assert [{k: v for k, v in turn.items() if v} for turn in row["prompt"] + row["completion"]] == there
    assert [m["content"] for m in row["completion"]] == ["It scatters."]
    assert [m["role"] for m in row["prompt"]] == ["user", "assistant", "user"]
    assert pairs(CHAT.empty_table()).num_rows == 0


def test_a_row_without_tools_has_null_for_them_and_so_has_one_of_an_old_version(tmp_path: Path):
    rows = sides(OLD)
    assert rows["train"].column("tools").to_pylist() == [None, None]
    assert [version.record(r).row_id for r in rows["train"].to_pylist()] == [r.row_id for r in OLD[:2]]
    old = rows["train"].set_column(CHAT.get_field_index("tools"), "tools", pa.array(["", "[]"]))
    (tmp_path / "data" / "chat").mkdir(parents=True)
    pq.write_table(old, tmp_path / "data" / "chat" / "train-00000-of-00001.parquet")
    assert parent_rows(tmp_path)["train"].column("tools").to_pylist() == [None, "[]"]


def test_a_pair_has_the_input_that_the_teacher_saw_and_null_for_what_a_turn_does_not_have():
    (row,) = pairs(sides([answered(ask("请翻译", split="train", input="moon"), "月亮")])["train"]).to_pylist()
    (asked,), (said,) = row["prompt"], row["completion"]
    assert (asked["content"], said["content"], row["tools"]) == ("请翻译\n\nmoon", "月亮", None)
    assert {k for turn in (asked, said) for k, v in turn.items() if v is None} == {
        "reasoning_content",
        "tool_calls",
        "tool_call_id",
        "name",
    }


def test_a_version_staged_twice_is_the_same_byte_for_byte(tmp_path: Path):
    one = stage(tmp_path / "one", sides([*OLD, *NEW]))
    other = stage(tmp_path / "other", sides([*OLD, *NEW]))
    assert one == other
    assert files(tmp_path / "one") == files(tmp_path / "other")
    assert content_hash(one) == content_hash(other[::-1]) != content_hash(one[1:])


def test_staging_again_leaves_nothing_of_the_last_time(tmp_path: Path):
    stage(tmp_path, sides([*OLD, *NEW]))
    stage(tmp_path, sides(OLD[:1]))
    (tmp_path / "README.md").write_text("left by a run that was killed")
    stage(tmp_path, sides(OLD[:1]))
    assert list(files(tmp_path)) == [f"data/{c}/train-00000-of-00001.parquet" for c in ("chat", "prompt_completion")]


def test_each_file_stands_in_the_manifest_with_its_size_rows_and_hash(tmp_path: Path):
    entries = stage(tmp_path, sides([*OLD, *NEW]))
    assert {e["path"] for e in entries} == set(files(tmp_path))
    for e in entries:
        path = tmp_path / e["path"]
        assert (e["bytes"], e["sha256"]) == (path.stat().st_size, sha256(path))
        assert e["rows"] == pq.read_metadata(path).num_rows
        assert (f"/{e['config']}/" in e["path"], f"/{e['split']}-" in e["path"]) == (True, True)


def test_the_parents_rows_come_first_and_the_new_ones_after_them(tmp_path: Path):
    stage(tmp_path / "parent", sides(OLD))
    old, new = parent_rows(tmp_path / "parent"), sides(NEW)
    stage(tmp_path / "child", {s: pa.concat_tables([old[s], new[s]]) for s in SIDES})
    child = parent_rows(tmp_path / "child")
    assert ids(child["train"]) == [r.row_id for r in OLD[:2]] + [r.row_id for r in NEW[1:]]
    assert ids(child["test"]) == [OLD[2].row_id, NEW[0].row_id]
    assert child["train"].slice(0, 2).equals(old["train"])


def test_no_parent_has_no_rows(tmp_path: Path):
    assert {s: t.num_rows for s, t in parent_rows(None).items()} == dict.fromkeys(SIDES, 0)
    assert {s: t.num_rows for s, t in parent_rows(tmp_path).items()} == dict.fromkeys(SIDES, 0)


def test_roots_grow_by_what_merged_into_a_row_and_by_that_alone(tmp_path: Path):
    stage(tmp_path, sides(OLD))
    rows = parent_rows(tmp_path)["train"]
    merged = {OLD[0].row_id: ["l-90", "l-80", "l-00001", "l-90"], "r-of-another-side": ["l-70"]}
    grown = with_roots(rows, merged)
    assert grown.column("roots").to_pylist() == [["l-00001", "l-80", "l-90"], ["l-00002"]]
    assert grown.drop_columns(["roots"]).equals(rows.drop_columns(["roots"]))
    assert with_roots(grown, merged).equals(grown)
    assert with_roots(rows, {"r-of-another-side": ["l-70"]}).equals(rows)
    assert grown.schema.equals(CHAT)


def test_a_side_of_many_rows_is_cut_into_files_that_come_back_in_order(tmp_path: Path):
    one = sides(OLD)["train"].slice(0, 1)
    count = version.FILE_ROWS + 1
    many = one.take(pa.array([0] * count)).set_column(0, "row_id", pa.array([f"r-{i}" for i in range(count)]))
    entries = stage(tmp_path, {"train": many})
    assert [Path(e["path"]).name for e in entries if e["config"] == "chat"] == [
        "train-00000-of-00002.parquet",
        "train-00001-of-00002.parquet",
    ]
    assert ids(parent_rows(tmp_path)["train"]) == ids(many)


def test_a_version_carries_the_prompts_that_made_it_in_both_languages(tmp_path: Path):
    used = carry_prompts(tmp_path, ["judge/verdict", "reask", "judge/verdict"])
    assert list(used) == [
        "judge/verdict.en.toml",
        "judge/verdict.zh.toml",
        "reask.en.toml",
        "reask.zh.toml",
    ]
    assert all(sha256(tmp_path / "prompts" / n) == digest for n, digest in used.items())


SAME = rules(["a"], {"test": 0.1})


@pytest.mark.parametrize(
    ("parent", "now", "added", "expected"),
    [
        (None, SAME, 3, "minor"),
        ({"rules": SAME}, SAME, 3, "minor"),
        ({"rules": SAME}, SAME, 0, "patch"),
        ({"rules": SAME}, rules(["b"], {"test": 0.1}), 3, "major"),
        ({"rules": SAME}, rules(["a"], {"test": 0.2}), 0, "major"),
        ({"rules": SAME | {"schema": "s-of-old"}}, SAME, 3, "major"),
    ],
)
def test_the_part_of_the_number_that_grows(parent: dict | None, now: dict, added: int, expected: str):
    assert change(parent, now, added) == expected
