"""The files of the exports: every row once or counted as left out, the same bytes, readable by line and as a whole."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from tasks.publish import version
from tasks.publish.consumers import dataset_info
from tasks.publish.exports import export
from tasks.publish.shapes import SHAPES, TOOLS
from tasks.publish.version import published, stage
from tasks.recipe.publishing import Shape
from tasks.record import Record
from tasks.schema import table
from tests.publish.test_shapes import using_tools
from tests.rows import HOSTILE, answered, ask

ALL = [*SHAPES]
ROWS = [
    answered(ask("Which lamp is best?", 1, split="train", before=("Hello", "Hi!")), "The red one."),
    replace(using_tools(), split="train"),
    answered(ask("桥有多高？", 3, split="test"), "三十米。\u2028👍🏽\u0085"),
    *(answered(ask(t, 4 + i, split="train"), t) for i, t in enumerate(HOSTILE)),
]


def made(folder: Path, rows: list[Record] = ROWS, shapes: list[str] = ALL) -> dict[str, dict[str, Any]]:
    stage(folder, published(table(rows)))
    return export(folder, folder, shapes)


def examples(path: Path) -> list[dict[str, Any]]:
    text = path.read_text("utf-8")
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def test_the_recipe_names_the_shapes_that_there_are():
    assert set(get_args(Shape)) == set(SHAPES)


def test_each_row_stands_once_on_its_side_or_is_counted_as_left_out(tmp_path: Path):
    kept = made(tmp_path)
    train = sum(r.split == "train" for r in ROWS)
    for shape, entry in kept.items():
        left = {TOOLS: 1} if shape == "alpaca" else {}
        assert entry["left_out"] == left
        assert {f["split"]: f["rows"] for f in entry["files"]} == {"train": train - sum(left.values()), "test": 1}
        for file in entry["files"]:
            assert len(examples(tmp_path / file["path"])) == file["rows"]
            assert (tmp_path / file["path"]).stat().st_size == file["bytes"]


def test_no_line_is_broken_by_what_some_take_for_the_end_of_one(tmp_path: Path):
    for entry in made(tmp_path).values():
        (test,) = [f for f in entry["files"] if f["split"] == "test"]
        text = (tmp_path / test["path"]).read_text("utf-8")
        assert not {"\u2028", "\u0085"} & set(text)
        assert "三十米。\u2028👍🏽\u0085" in json.dumps(examples(tmp_path / test["path"]), ensure_ascii=False)


def test_the_same_rows_give_the_same_bytes_in_however_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one = made(tmp_path / "one")
    monkeypatch.setattr(version, "FILE_ROWS", 2)
    assert made(tmp_path / "other") == one
    assert len([*(tmp_path / "other").glob("data/chat/train-*")]) > 1


def test_all_examples_of_a_shape_have_the_same_keys(tmp_path: Path):
    for shape, entry in made(tmp_path).items():
        keys = {tuple(e) for f in entry["files"] for e in examples(tmp_path / f["path"])}
        assert len(keys) == 1 or shape == "openai"


def test_a_shape_that_was_not_asked_for_is_not_written(tmp_path: Path):
    assert list(made(tmp_path, shapes=["swift"])) == ["swift"]
    assert [p.name for p in (tmp_path / "exports").iterdir()] == ["swift"]
    assert made(tmp_path / "none", shapes=[]) == {}
    assert not (tmp_path / "none" / "exports").exists()


def test_a_side_of_which_nothing_is_left_has_no_file(tmp_path: Path):
    entry = made(tmp_path, [replace(using_tools(), split="train")])["alpaca"]
    assert entry == {"files": [], "left_out": {TOOLS: 1}}
    assert not [*(tmp_path / "exports" / "alpaca").iterdir()]


def test_dataset_info_names_files_of_train_and_validation_and_never_test(tmp_path: Path):
    kept = made(tmp_path, [*ROWS, answered(ask("Why?", 50, split="validation"), "So.")])
    info = dataset_info("mine", kept)
    assert {name: entry["file_name"] for name, entry in info.items()} == {
        "mine": "exports/sharegpt/train.jsonl",
        "mine_validation": "exports/sharegpt/validation.jsonl",
        "mine_alpaca": "exports/alpaca/train.json",
        "mine_alpaca_validation": "exports/alpaca/validation.json",
    }
    for entry in info.values():
        first = examples(tmp_path / entry["file_name"])[0]
        assert set(entry["columns"].values()) <= set(first)
        assert {t["from"] for t in first.get("conversations", ())} <= set(entry.get("tags", {}).values())
    assert dataset_info("mine", {}) == {}
