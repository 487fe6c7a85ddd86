"""Rejected answers as preference pairs: a third config, an export, and nothing at all where there are none."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tasks.publish import version
from tasks.publish.consumers import dataset_info
from tasks.publish.exports import export
from tasks.publish.shapes import SHAPES
from tasks.publish.verify import Verified, preferred
from tasks.publish.version import PREFERENCE, SIDES, parent_rows, preferences, published, stage
from tasks.record import Record
from tasks.schema import table
from tests.publish.test_finish import matter, whole
from tests.publish.test_shapes import using_tools
from tests.rows import HOSTILE, answered, ask

PLAIN = [
    answered(ask("Which lamp is best?", 1, split="train"), "The red one."),
    answered(ask("桥有多高？", 2, split="test"), "三十米。"),
]
PAIRED = [
    replace(
        answered(ask("Write two lines.", 3, split="train", system="Be brief."), "One.\nTwo."),
        rejected_answers=("One.", "One.\nTwo.\nThree."),
    ),
    replace(answered(ask("请翻译", 4, split="train", input="moon"), "月亮"), rejected_answers=("月亮。",)),
    *(replace(answered(ask(t, 5 + i, split="test"), t), rejected_answers=(f"not {t}",)) for i, t in enumerate(HOSTILE)),
]


def staged(folder: Path, rows: list[Record]) -> list[tuple[str, str, str]]:
    return [(f["config"], f["split"], f["path"]) for f in stage(folder, published(table(rows)))]


def test_each_rejected_answer_is_a_row_of_turns():
    made = preferences(published(table([*PLAIN, *PAIRED]))["train"])
    assert made.schema.equals(PREFERENCE)
    rows = made.to_pylist()
    assert [r["row_id"] for r in rows] == [PAIRED[0].row_id, PAIRED[0].row_id, PAIRED[1].row_id]
    assert [[(m["role"], m["content"]) for m in r["prompt"]] for r in rows[1:]] == [
        [("system", "Be brief."), ("user", "Write two lines.")],
        [("user", "请翻译\n\nmoon")],
    ]
    assert [r["chosen"][0]["content"] for r in rows] == ["One.\nTwo.", "One.\nTwo.", "月亮"]
    assert [r["rejected"][0]["content"] for r in rows] == ["One.", "One.\nTwo.\nThree.", "月亮。"]
    assert {m["role"] for r in rows for m in (*r["chosen"], *r["rejected"])} == {"assistant"}
    assert all(m["tool_calls"] is None for r in rows for m in r["rejected"])


def test_only_sides_with_rejected_answers_have_files_and_no_other_byte_changes(tmp_path: Path):
    without = staged(tmp_path / "plain", [replace(r, rejected_answers=()) for r in (*PLAIN, *PAIRED)])
    assert {config for config, _, _ in without} == {"chat", "prompt_completion"}
    some = staged(tmp_path / "some", [*PLAIN, *PAIRED[:2]])
    assert [f for f in some if f[0] == "preference"] == [
        ("preference", "train", "data/preference/train-00000-of-00001.parquet")
    ]
    for config, _, path in staged(tmp_path / "all", [*PLAIN, *PAIRED]):
        if config == "prompt_completion":
            assert (tmp_path / "all" / path).read_bytes() == (tmp_path / "plain" / path).read_bytes()


def test_a_whole_version_knows_its_pairs_and_says_how_to_load_them(tmp_path: Path):
    plain = whole(tmp_path, [*PLAIN, *PAIRED])
    assert {f["split"]: f["rows"] for f in plain["files"] if f["config"] == "preference"} == {
        "train": 3,
        "test": len(HOSTILE),
    }
    assert [c["config_name"] for c in matter(tmp_path)["configs"]] == ["chat", "prompt_completion", "preference"]
    described = json.loads((tmp_path / "croissant.json").read_text("utf-8"))
    assert [("key" in r) for r in described["recordSet"]] == [True, True, False]
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "DPOTrainer" in text
    assert "mine_preference" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_version_without_rejected_answers_says_nothing_of_pairs(language: str, tmp_path: Path):
    plain = whole(tmp_path, PLAIN, language)
    assert "preference" not in plain["exports"]
    assert not (tmp_path / "exports" / "preference").exists()
    assert [c["config_name"] for c in matter(tmp_path)["configs"]] == ["chat", "prompt_completion"]
    for file in ("README.md", "croissant.json", "manifest.json", "dataset_info.json"):
        assert "preference" not in (tmp_path / file).read_text("utf-8").replace("user preferences", "")


def test_pairs_come_back_with_the_parents_rows_and_in_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(version, "FILE_ROWS", 2)
    files = staged(tmp_path, [*PLAIN, *PAIRED])
    again = stage(tmp_path / "again", parent_rows(tmp_path))
    assert [(f["config"], f["split"], f["path"]) for f in again] == files
    paths = [tmp_path / path for config, side, path in files if (config, side) == ("preference", "train")]
    assert [pq.read_metadata(p).num_rows for p in paths] == [2, 1]


def test_verify_finds_pairs_that_are_not_those_of_the_chat_rows(tmp_path: Path):
    files = staged(tmp_path, [*PLAIN, *PAIRED])
    well = Verified()
    preferred(tmp_path, files, well)
    assert well.findings == []
    (path,) = (tmp_path / p for config, side, p in files if (config, side) == ("preference", "train"))
    pq.write_table(pq.read_table(path).slice(1), path)
    ill = Verified()
    preferred(tmp_path, files, ill)
    assert [f.what for f in ill.findings] == ["the preference rows of train are not those of its chat rows"]
    missing = Verified()
    preferred(tmp_path, [f for f in files if f[0] != "preference"], missing)
    assert len(missing.findings) == len([s for s in SIDES if s != "validation"])


def test_the_export_has_an_example_for_each_pair_and_counts_what_it_cannot_carry(tmp_path: Path):
    tools = replace(using_tools(), split="train", rejected_answers=("no call",))
    stage(tmp_path, published(table([*PLAIN, *PAIRED, tools])))
    kept = export(tmp_path, tmp_path, ["preference"])["preference"]
    assert {f["split"]: f["rows"] for f in kept["files"]} == {"train": 4, "test": len(HOSTILE)}
    lines = (tmp_path / "exports/preference/train.jsonl").read_text("utf-8").splitlines()
    first = json.loads(lines[0])
    assert first == {
        "conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "Write two lines."}],
        "chosen": {"from": "gpt", "value": "One.\nTwo."},
        "rejected": {"from": "gpt", "value": "One."},
        "tools": "[]",
    }
    entry = dataset_info("mine", {"preference": kept})["mine_preference"]
    assert entry["ranking"] is True
    assert set(entry["columns"].values()) == set(first)
    assert export(tmp_path / "none", tmp_path, [*SHAPES]) == {}


def test_a_version_that_names_them_as_before_gives_the_same_export(tmp_path: Path):
    stage(tmp_path, published(table([*PLAIN, *PAIRED])))
    todays = export(tmp_path, tmp_path, ["preference"])
    for path in (tmp_path / "data" / "chat").iterdir():
        rows = pq.read_table(path)
        before = {"rejected_answers": "rejected"}
        pq.write_table(rows.rename_columns([before.get(n, n) for n in rows.column_names]), path)
    assert export(tmp_path, tmp_path, ["preference"]) == todays
