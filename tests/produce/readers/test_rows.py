"""Rows a piece at a time: in every encoding, and of files larger than what they take in memory."""

import csv
import json
import tracemalloc
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.produce.datasets import Datasets, drawn
from tasks.produce.readers.found import Unreadable
from tasks.produce.readers.plain import stream_of, text_of
from tasks.produce.readers.rows import Row, rows

SAID = {"en": "The pool opens at half past six. Bring a towel.", "zh": "游泳馆六点半开门。请自带毛巾。"}
BOTH = pytest.mark.parametrize("said", SAID.values(), ids=SAID)
NAMES = ("a.csv", "a.tsv", "a.jsonl", "a.parquet")
MEGABYTE = 2**20


def put(file: Path, texts: Iterable[str], encoding: str = "utf-8", end: str = "\n") -> Path:
    """A file of rows with a text each."""
    if file.suffix == ".parquet":
        pq.write_table(pa.table({"text": list(texts)}), file, row_group_size=1000)
        return file
    with file.open("w", encoding=encoding, newline="") as out:
        if file.suffix == ".jsonl":
            out.writelines(json.dumps({"text": t}, ensure_ascii=False) + end for t in texts)
        else:
            write = csv.writer(out, delimiter="\t" if file.suffix == ".tsv" else ",", lineterminator=end)
            write.writerows([["text", "label"], *([t, "pool"] for t in texts)])
    return file


@BOTH
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", NAMES[:3])
def test_rows_are_read_in_the_encodings_that_are_about(
    name: str, encoding: str, end: str, said: str, tmp_path: Path
) -> None:
    texts = [f"{said} {n}" for n in range(3)]
    file = put(tmp_path / name, texts, encoding, end)
    assert [row.cells["text"] for row in rows(file) if row.cells] == texts
    with stream_of(file) as there:
        assert there.read() == text_of(file).removeprefix("\ufeff")


@pytest.mark.parametrize(
    "raw",
    [
        "text\nça va très bien à Orléans\n".encode("latin-1"),
        "text\n游泳馆".encode()[:-1],
        b"text\nnull \0 byte\n",
        b"\xff\xfet\0e\0x",
        b"text\n\xff\xff\xff\n",
    ],
)
def test_what_is_in_no_known_encoding_is_refused_as_a_whole(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(raw)
    with pytest.raises(Unreadable, match="encoding_unknown"):
        list(rows(tmp_path / "a.csv"))


def test_a_chinese_character_may_stand_across_two_blocks(tmp_path: Path) -> None:
    for encoding in ("utf-8", "gb18030"):
        text = "a" + "游泳馆六点半开门" * (MEGABYTE // 12)
        file = put(tmp_path / f"{encoding}.jsonl", [text], encoding)
        assert [row.cells for row in rows(file)] == [{"text": text}]


@BOTH
@pytest.mark.parametrize("name", NAMES)
def test_the_first_rows_of_a_large_file_take_little_memory(name: str, said: str, tmp_path: Path) -> None:
    file = put(tmp_path / name, (f"{said * 20} {n}" for n in range(20_000)))
    list(islice(rows(file), 1))  # what is imported by the way is not counted
    tracemalloc.start()
    try:
        count = sum(1 for _ in rows(file))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 5 * MEGABYTE < 20_000 * len(said * 20)


@BOTH
@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_that_of_the_whole_file(name: str, said: str, tmp_path: Path) -> None:
    file = put(tmp_path / name, [f"{said} {n}" for n in range(200)])
    whole = list(rows(file))
    wanted = sorted(Random(3).sample(range(200), 9))
    assert list(drawn(file, 9, Random(3))) == [whole[n] for n in wanted]
    assert list(drawn(file, 0, Random(3))) == whole
    assert list(drawn(file, 999, Random(3))) == whole


async def test_rows_before_the_place_where_a_file_breaks_off_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('prompt\nWhy is the sea salty?\n为什么海水是咸的？\n"Why\n', "utf-8")
    outcomes = [o async for o in Datasets((str(tmp_path / "a.csv"),))([], None, Random(0))]  # pyright: ignore[reportArgumentType]
    assert [r.instruction for o in outcomes for r in o.out] == ["Why is the sea salty?", "为什么海水是咸的？"]
    (drop,) = (d for o in outcomes for d in o.dropped)
    assert (drop.reason, drop.detail.partition(":")[0]) == ("unreadable", "a.csv row 4")


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_with_nothing_in_it_has_no_rows(text: str, tmp_path: Path) -> None:
    for name in NAMES[:3]:
        (tmp_path / name).write_text(text, "utf-8")
        assert list(rows(tmp_path / name)) == list[Row]()
