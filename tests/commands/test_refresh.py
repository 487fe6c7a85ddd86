"""What the command line makes of a recipe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.commands.refresh import told, window
from flows.commands.running import keepable
from tasks.history.lock import busy, lock_of
from tasks.recipe import PROJECT, READY, RecipeError

RECIPE = "sources: [{uri: a.jsonl, mapping: sharegpt, delimiter: ';', storage: {anon: true}}]\n"


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return str(tmp_path / "recipe.yaml")


def test_a_mapping_by_its_name_is_that_of_every_source(recipe: str) -> None:
    for sources in ((), ("b.jsonl", "c.jsonl")):
        made = told(recipe, sources, "openai", None, ()).sources
        assert [s.uri for s in made] == [*(sources or ("a.jsonl",))]
        assert all(s.mapping == READY["openai"] for s in made)


def test_without_one_other_sources_are_read_as_the_recipe_says(recipe: str) -> None:
    (made,) = told(recipe, ("s3://b/c.jsonl",), None, None, ()).sources
    assert (made.mapping, made.delimiter, made.storage) == (READY["sharegpt"], ";", {"anon": True})


def test_a_mapping_that_is_none_names_the_nearest(recipe: str) -> None:
    with pytest.raises(RecipeError, match="did you mean alpaca"):
        told(recipe, ("b.jsonl",), "alpacca", None, ())


@pytest.mark.parametrize("until", ["2026-01-01", "2026-02-01T08:00:00+08:00"])
def test_a_window_in_which_nothing_lies_is_refused(until: str) -> None:
    window("2026-01-01", "2026-02-01")
    window(None, until)
    with pytest.raises(RecipeError, match="nothing is asked between --since"):
        window("2026-02-01", until)


@pytest.mark.parametrize("lake", ["file", "/proc/lake", "/dev/null/lake", "x" * 300, "湖" * 100])
def test_a_lake_that_cannot_be_written_to_is_said_before_anything_starts(lake: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecipeError, match="cannot keep a dataset in") as fault:
        keepable(tmp_path / lake / "weekly")
    assert fault.value.where == "output.dir"


def test_a_lock_that_is_no_file_is_said_and_one_that_is_held_is_left_to_whoever_holds_it(tmp_path: Path) -> None:
    (tmp_path / "odd" / ".lock").mkdir(parents=True)
    with pytest.raises(RecipeError, match="Is a directory"):
        keepable(tmp_path / "odd")
    keepable(tmp_path / "湖" / "weekly")
    with lock_of(tmp_path / "湖" / "weekly"):
        keepable(tmp_path / "湖" / "weekly")
        assert busy(tmp_path / "湖" / "weekly")


def test_a_prefect_server_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "logs.jsonl").write_text(
        '{"id": "1", "messages": [{"role": "user", "content": "为什么？"}]}\n', "utf-8"
    )
    env = os.environ | {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_HOME": str(tmp_path / "prefect")}
    command = [sys.executable, "-c", "from flows.commands import main; main()", "refresh", "--plan"]
    told = [*command, "--source", str(tmp_path / "logs.jsonl"), "--out", str(tmp_path / "lake")]
    done = subprocess.run(told, env=env | {"PYTHONPATH": str(PROJECT)}, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("flywheel: no Prefect server answers at http://127.0.0.1:9/api: start it")
    assert done.stderr.count("\n") == 1
