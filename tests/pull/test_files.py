"""Which files a source is made of: not the hidden and the unfinished, and each once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.pull.files import files
from tasks.recipe import RecipeError

WANTED = ["a.jsonl", "b.json.gz", "c.CSV", "d.tsv.zst", "e.parquet"]
UNWANTED = [".x.jsonl", "x.jsonl~", "x.jsonl.tmp", "x.jsonl.part", "#x.jsonl", "notes.txt", "x.jsonl.swp"]


def made(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(folder: Path, pattern: str = "") -> list[str]:
    return [str(p.relative_to(folder)) for p in files(f"{folder}{pattern}")]


def test_hidden_and_temporary_files_are_left_out_of_folders_and_globs(tmp_path: Path) -> None:
    made(tmp_path, *WANTED, *UNWANTED)
    assert found(tmp_path) == WANTED
    assert found(tmp_path, "/*.jsonl*") == ["a.jsonl"]
    assert found(tmp_path, "/.x.jsonl") == [".x.jsonl"], "who names a file means it"


def test_folders_that_link_to_each_other_are_read_once(tmp_path: Path) -> None:
    made(tmp_path, "a.jsonl", "sub/b.jsonl", "sub/deep/[c].jsonl", ".hidden/d.jsonl")
    for n in range(3):
        (tmp_path / f"loop{n}").symlink_to(tmp_path)
        (tmp_path / "sub" / f"loop{n}").symlink_to(tmp_path / "sub")
    (tmp_path / "z.jsonl").symlink_to(tmp_path / "z.jsonl")
    for pattern in ("/**/*.jsonl", "/**", "/**/**/*.jsonl"):
        assert sorted(Path(name).name for name in found(tmp_path, pattern)) == ["[c].jsonl", "a.jsonl", "b.jsonl"]
    assert found(tmp_path) == ["a.jsonl"]


def test_a_file_that_links_to_itself_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "z.jsonl").symlink_to(tmp_path / "z.jsonl")
    with pytest.raises(RecipeError, match="no logs at"):
        files(str(tmp_path / "z.jsonl"))
