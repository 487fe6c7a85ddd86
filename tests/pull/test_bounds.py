"""Too many unreadable lines stop the run before anything is asked; some do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.pull.source import Pulled, Window, pull
from tasks.recipe import Pulling, RecipeError, Source


def pulled(folder: Path, known: frozenset[str] = frozenset(), **bound: Any) -> Pulled:
    return pull(Source(uri=str(folder)), Window(), known, folder / "out", 10, Pulling(**bound))


def log(path: Path, good: int, bad: int) -> None:
    lines = [json.dumps({"id": f"{path.name} {n}", "messages": f"q {n}"}) for n in range(good)]
    path.write_text("\n".join([*["{half"] * bad, *lines]))


def test_a_file_with_too_large_a_share_stops_the_run_and_is_named(tmp_path: Path) -> None:
    log(tmp_path / "a.jsonl", 500, 0)
    log(tmp_path / "\x1b[31m坏.jsonl", 9, 11)
    with pytest.raises(RecipeError) as fault:
        pulled(tmp_path)
    said = fault.value.what
    assert said.startswith("\ufffd[31m坏.jsonl: 11 of 20 new lines cannot be read (55%, more than 50%); ")
    assert "line 1: not_json" in said
    assert "\x1b" not in said
    assert fault.value.where == "pull.max_unreadable_share"


@pytest.mark.parametrize(("good", "bad", "bound"), [(0, 19, {}), (10, 10, {}), (0, 30, {"max_unreadable_share": 1})])
def test_few_lines_or_a_share_within_the_bound_stop_nothing(
    tmp_path: Path, good: int, bad: int, bound: dict[str, Any]
) -> None:
    log(tmp_path / "a.jsonl", good, bad)
    result = pulled(tmp_path, **bound)
    assert sum(s.rows for s in result.unreadable) == bad
    assert all(s.rows <= 10 for s in result.unreadable), "unreadable lines go to disk as they come"


def test_many_small_files_count_together(tmp_path: Path) -> None:
    for n in range(5):
        log(tmp_path / f"{n}.jsonl", 1, 4)
    with pytest.raises(RecipeError, match="20 of 25 new lines"):
        pulled(tmp_path)


def test_a_count_of_its_own_stops_at_the_first_line_beyond_it(tmp_path: Path) -> None:
    log(tmp_path / "a.jsonl", 100, 4)
    assert pulled(tmp_path, max_unreadable_rows=4).new == 104
    with pytest.raises(RecipeError, match="4 of 4 new lines") as fault:
        pulled(tmp_path, max_unreadable_rows=3)
    assert fault.value.where == "pull.max_unreadable_rows"


def test_unreadable_lines_that_an_earlier_increment_knows_do_not_count(tmp_path: Path) -> None:
    log(tmp_path / "a.jsonl", 0, 30)
    first = pulled(tmp_path, max_unreadable_share=1)
    known = frozenset(i for s in first.unreadable for i in s.table().column("log_id").to_pylist())
    assert pulled(tmp_path, known).seen == 30
