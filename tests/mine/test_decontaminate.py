"""Prompts that hold a benchmark question, by files of every kind."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.loop import Bench, key
from tasks.mine.decontaminate import Decontaminate
from tasks.recipe import RecipeError
from tasks.record import Record
from tasks.schema import table
from tests.rows import ask

EN = "A farmer sells 12 eggs a day at the market for two dollars each and keeps the rest, so how much does he earn?"
ZH = "一个水池有甲乙两根进水管，单开甲管三小时注满，单开乙管五小时注满，两管同时打开需要多久才能注满水池？"
SHORT = "Why do cats purr at night?"
LONG_EN, LONG_ZH = EN.split(), ZH


@pytest.fixture
def benchmark(tmp_path: Path) -> str:
    file = tmp_path / "quiz.jsonl"
    rows = [{"id": "q1", "question": EN, "answer": "24"}, {"question": ZH}, {"nested": {"choices": ["yes", SHORT]}}]
    file.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), encoding="utf-8")
    return str(file)


def details(file: str, *made: Record) -> list[str | None]:
    sieved = Decontaminate((file,))(table(made))
    found = sieved.detail.to_pylist() if sieved.detail is not None else []
    assert sieved.reason.to_pylist() == [detail and "contaminated" for detail in found]
    return [detail and detail.removeprefix(f"{file} ") for detail in found]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (EN, "line 1"),
        (f"Solve this, step by step:\n{EN.upper()}\nThanks!", "line 1"),
        (" ".join(LONG_EN[4:17]), "line 1"),
        ("**" + ", ".join(LONG_EN[4:17]) + "**", "line 1"),
        (" ".join(LONG_EN[4:16]), None),
        (" ".join([*LONG_EN[4:16], "daily", *LONG_EN[17:23]]), None),
        (ZH, "line 2"),
        (f"请解答：{ZH[3:40]}", "line 2"),
        (ZH.replace("，", " "), "line 2"),
        ("一個水池有甲乙兩根進水管，單開甲管三小時注滿，單開乙管五小時注滿，兩管同時打開", "line 2"),
        (ZH[:26], None),
        ("why do cats purr at night", "line 3"),
        ("Tell me why do cats purr at night", None),
        ("yes", None),
        ("24", None),
        ("", None),
    ],
)
def test_a_copy_or_a_long_overlap_is_found_with_its_line(benchmark: str, text: str, line: str | None) -> None:
    assert details(benchmark, ask("What is the capital of France?"), ask(text)) == [None, line]


def test_every_turn_of_a_prompt_counts_but_not_what_a_model_said(benchmark: str) -> None:
    earlier = ask("And now?", before=(EN, "24 dollars"))
    quoted = ask("And now?", before=("Ask me something hard", EN))
    assert details(benchmark, earlier, quoted, ask("Go on", system=ZH)) == ["line 1", None, "line 2"]


def test_an_overlap_across_two_rows_is_none(benchmark: str) -> None:
    assert details(benchmark, ask(" ".join(LONG_EN[:12])), ask(" ".join(LONG_EN[12:]))) == [None, None]


def test_every_kind_of_file_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"\ufeffnothing here\n{EN}\n", encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps({"data": [{"q": "x"}, {"q": [EN]}]}))
    (tmp_path / "lines.json").write_text(f'{{"q": "x"}}\n{{"q": "{EN}"}}\n')
    with (tmp_path / "a.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["id", "question"], ["1", EN]])
    pq.write_table(pa.table({"n": [1, 2], "q": ["x", EN]}), tmp_path / "a.parquet")
    for name in ("a.txt", "a.json", "lines.json", "a.csv", "a.parquet"):
        assert details(str(tmp_path / name), ask(EN)) == ["line 2"], name


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("gone.jsonl", None, "no benchmark at .*gone"),
        ("bad.jsonl", b'{"q": 1}\n{"q": ', "bad.jsonl cannot be read"),
        ("bad.parquet", b"PAR1 no", "bad.parquet cannot be read"),
        ("bad.txt", b"\xff\xfe\xff", "bad.txt cannot be read"),
        ("bad.csv", b'a,"b\n', "bad.csv cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, raw: bytes | None, said: str) -> None:
    if raw is not None:
        (tmp_path / name).write_bytes(raw)
    with pytest.raises((RecipeError, FileNotFoundError), match=said if raw is not None else "gone"):
        details(str(tmp_path / name), ask(EN))


def test_a_changed_benchmark_makes_another_key_and_is_read_again(benchmark: str, tmp_path: Path) -> None:
    step, bench = Decontaminate((benchmark,)), Bench(tmp_path, 7)
    before = key(step, [], bench)
    assert details(benchmark, ask(EN)) == ["line 1"]
    Path(benchmark).write_text(json.dumps({"q": SHORT}))
    assert key(step, [], bench) != before
    assert details(benchmark, ask(EN)) == [None]


def test_no_benchmark_and_no_rows_are_no_trouble(benchmark: str, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    assert details(str(tmp_path / "empty.jsonl"), ask(EN)) == [None]
    assert details(benchmark) == []
