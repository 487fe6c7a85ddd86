"""The same rows from every format, and files that are not what they seem: good rows are used, bad ones counted."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tasks.pull import whole
from tasks.pull.formats import read
from tasks.pull.lines import MAX_LINE
from tasks.pull.source import Pulled, Window, pull
from tasks.recipe import READY, Source

ASKED = ("How do tides work?", "潮汐是怎么形成的？", 'quoted "text",\nsecond line; 第二行')
ROWS = [
    {"id": f"r{n}", "created_at": "2026-11-02T08:31:07Z", "messages": text, "response": "ok"}
    for n, text in enumerate(ASKED)
]
TURNS = [[{"role": "user", "content": text}, {"role": "assistant", "content": "ok"}] for text in ASKED]


def row(text: str, **more: Any) -> bytes:
    return json.dumps({"id": text, "messages": text} | more, ensure_ascii=False).encode()


def as_csv(rows: list[dict[str, Any]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def as_parquet(rows: list[dict[str, Any]], **how: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, **how)
    return out.getvalue()


def pulled(path: Path, raw: bytes, **source: Any) -> Pulled:
    path.write_bytes(raw)
    return pull(Source(uri=str(path), **source), Window(), (), path.parent / "out", 100)


def asked(result: Pulled) -> list[str]:
    return [record.instruction for shard in result.shards for record in shard.records()]


def reasons(result: Pulled) -> list[str]:
    return [reason for shard in result.unreadable for reason in shard.table().column("reason").to_pylist()]


LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
FORMATS: dict[str, tuple[str, bytes]] = {
    "lines": ("a.jsonl", LINES.encode()),
    "lines called JSON": ("a.json", LINES.encode()),
    "an array": ("a.json", json.dumps(ROWS, ensure_ascii=False, indent=1).encode()),
    "an array, packed": ("a.json.gz", gzip.compress(json.dumps(ROWS).encode())),
    "an array in an object": ("a.json", json.dumps({"n": 3, "of": ["x"], "data": ROWS}).encode()),
    "parquet": ("a.parquet", as_parquet(ROWS)),
    "parquet by its bytes": ("a.bin", as_parquet(ROWS, row_group_size=1)),
    "csv": ("a.csv", as_csv(ROWS).encode()),
    "csv from a spreadsheet": ("a.csv", as_csv(ROWS, ";").encode("utf-8-sig")),
    "csv, packed": ("a.csv.zst", zstandard.ZstdCompressor().compress(as_csv(ROWS).encode())),
    "csv in GB18030": ("a.csv", as_csv(ROWS).encode("gb18030")),
    "csv in UTF-16": ("a.csv", as_csv(ROWS, "\t").encode("utf-16")),
    "csv with a rare delimiter": ("a.csv", as_csv(ROWS, "^").encode()),
    "tsv": ("a.tsv", as_csv(ROWS, "\t").encode()),
    "lines in UTF-16, big end first": ("a.jsonl", b"\xfe\xff" + LINES.encode("utf-16-be")),
    "lines in GB18030": ("a.jsonl", LINES.encode("gb18030")),
}


@pytest.mark.parametrize(("name", "raw"), FORMATS.values(), ids=FORMATS)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str, raw: bytes) -> None:
    delimiter = "^" if b"^" in raw else None
    result = pulled(tmp_path / name, raw, delimiter=delimiter)
    assert (asked(result), reasons(result)) == (list(ASKED), [])
    assert {r.roots for s in result.shards for r in s.records()} == {
        r.roots for s in pulled(tmp_path / "b.jsonl", LINES.encode()).shards for r in s.records()
    }


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.csv", as_csv([{"messages": json.dumps(turns, ensure_ascii=False)} for turns in TURNS]).encode()),
        ("a.parquet", as_parquet([{"messages": json.dumps(turns)} for turns in TURNS])),
        ("a.parquet", as_parquet([{"messages": turns} for turns in TURNS])),
    ],
)
def test_a_messages_column_may_hold_turns(tmp_path: Path, name: str, raw: bytes) -> None:
    result = pulled(tmp_path / name, raw)
    assert asked(result) == list(ASKED)
    assert {r.student_response for s in result.shards for r in s.records()} == {"ok"}


def test_json_text_that_is_no_turns_is_a_prompt(tmp_path: Path) -> None:
    texts = ["[1, 2, 3]", '{"a": 1}', "[x", "[]"]
    assert asked(pulled(tmp_path / "a.csv", as_csv([{"messages": text} for text in texts]).encode())) == texts


def test_columns_of_a_flattened_table_are_found_by_their_names_and_json_columns_by_paths(tmp_path: Path) -> None:
    flat = [{"request.messages": json.dumps(TURNS[0]), "ts": "2026-11-02"}]
    nested = [{"request": json.dumps({"messages": TURNS[0]}), "ts": "2026-11-02"}]
    for name, rows in (("a.csv", flat), ("b.csv", nested)):
        result = pulled(tmp_path / name, as_csv(rows).encode(), mapping="openai")
        assert (asked(result), reasons(result)) == ([ASKED[0]], [])


def test_parquet_values_that_json_does_not_have_are_read(tmp_path: Path) -> None:
    when = datetime(2026, 11, 2, 8, 31, 7, tzinfo=UTC)
    rows = [{"messages": "q", "created_at": when.replace(tzinfo=None), "raw": b"\xff", "score": float("nan")}]
    (record,) = [r for s in pulled(tmp_path / "a.parquet", as_parquet(rows)).shards for r in s.records()]
    assert record.asked_at == when


def test_an_object_that_is_itself_a_row_is_one_row(tmp_path: Path) -> None:
    assert asked(pulled(tmp_path / "a.json", json.dumps({"messages": TURNS[0]}, indent=1).encode())) == [ASKED[0]]


GOOD = row("good one")
LAST = row("最后一条")
LONE = b'{"id": "s", "messages": "half \\ud83d pair"}'
QUOTES = 'id,messages\n1,"good one"\n2,"never closed\n3,"bro"ken"\n4,最后一条\n5,too,many\n'
BAD: dict[str, tuple[str, bytes, list[str], list[str]]] = {
    "an empty file": ("a.jsonl", b"", [], []),
    "an empty document": ("a.json", b" \n", [], []),
    "an empty array": ("a.json", b"[ ]\n", [], []),
    "an empty table": ("a.csv", b"\n", [], []),
    "a header alone": ("a.csv", b"id,messages\n", [], []),
    "cut gzip": (
        "a.jsonl.gz",
        gzip.compress(GOOD + b"\n" + LAST + b"\n")[:-4],
        ["good one", "最后一条"],
        ["archive_broken"],
    ),
    "UTF-16": (
        "a.jsonl",
        (GOOD + b"\n{half\n" + LAST).decode().encode("utf-16"),
        ["good one", "最后一条"],
        ["not_json"],
    ),
    "UTF-16, cut in a character": (
        "a.jsonl",
        GOOD.decode().encode("utf-16") + b"\n\0\0",
        ["good one"],
        ["encoding_unknown"],
    ),
    "a byte order mark": ("a.jsonl", b"\xef\xbb\xbf" + GOOD + b"\n" + LAST, ["good one", "最后一条"], []),
    "GBK between UTF-8": (
        "a.jsonl",
        GOOD + b"\n" + row("编码不同的一行").decode().encode("gbk") + b"\n" + LAST,
        ["good one", "编码不同的一行", "最后一条"],
        [],
    ),
    "UTF-8 with a broken character": (
        "a.jsonl",
        GOOD + b"\n" + LAST.replace("后".encode(), b"\xe5\x90"),
        ["good one"],
        ["encoding_unknown"],
    ),
    "Latin-1": (
        "a.jsonl",
        GOOD + b"\n" + row("un été déjà").decode().encode("latin-1"),
        ["good one"],
        ["encoding_unknown"],
    ),
    "NULs": ("a.jsonl", GOOD + b"\n\x00\x00\x00\n" + LAST, ["good one", "最后一条"], ["not_json"]),
    "NULs in a table": ("a.csv", b"messages\na\x00b\nc\n", ["a\x00b", "c"], []),
    "line ends of old": ("a.jsonl", GOOD + b"\r{half\r" + LAST + b"\r", ["good one", "最后一条"], ["not_json"]),
    "line ends of old in a table": ("a.csv", b"id,messages\r1,good one\r2,b\r", ["good one", "b"], []),
    "a long line": (
        "a.jsonl",
        GOOD + b"\n" + b"x" * (MAX_LINE + 1) + b"\n" + LAST,
        ["good one", "最后一条"],
        ["line_too_long"],
    ),
    "a long line in a table": (
        "a.csv",
        b"messages\na\n" + b"x" * (MAX_LINE + 1) + b"\nc\n",
        ["a", "c"],
        ["line_too_long"],
    ),
    "deep nesting": ("a.jsonl", b"[" * 100_000 + b"\n" + GOOD, ["good one"], ["nested_too_deep"]),
    "deep nesting in an array": (
        "a.json",
        b"[" + GOOD + b"," + b"[" * 100_000 + b"]" * 100_000 + b',"x",{"a" 1},' + LAST + b"]",
        ["good one", "最后一条"],
        ["nested_too_deep", "not_an_object", "not_json"],
    ),
    "a cut array": ("a.json", b"[" + GOOD + b', {"id": "x", "mess', ["good one"], ["not_json"]),
    "an array that does not end": ("a.json", b"[" + GOOD, ["good one"], ["not_json"]),
    "text behind an array": ("a.json", b"[" + GOOD + b"] x", ["good one"], ["not_json"]),
    "an object of two arrays": ("a.json", b'{"a": [' + GOOD + b'], "b": [' + GOOD + b"]}", [], ["many_arrays"]),
    "wrong types": (
        "a.jsonl",
        b"\n".join([GOOD, b'{"messages": 5}', b'{"messages": [{"role": [], "content": {}}]}', b"7", b"null"]),
        ["good one"],
        ["no_messages", "bad_role", "not_an_object", "not_an_object"],
    ),
    "half a surrogate pair": ("a.jsonl", LONE + b"\n" + GOOD, ["half \ufffd pair", "good one"], []),
    "half a surrogate pair in an array": ("a.json", b"[" + LONE + b"]", ["half \ufffd pair"], []),
    "a line separator inside a row": (
        "a.jsonl",
        row("a\u2028b\u0085c") + b"\n" + GOOD,
        ["a\u2028b\u0085c", "good one"],
        [],
    ),
    "a line separator inside a cell": (
        "a.csv",
        "messages\na\u2028b\u0085c\nd\n".encode(),
        ["a\u2028b\u0085c", "d"],
        [],
    ),
    "an id that stands twice": ("a.jsonl", GOOD + b"\n" + GOOD, ["good one"], []),
    "NaN": ("a.jsonl", b'{"messages": "q", "score": NaN}\n{"messages": NaN}', ["q"], ["no_messages"]),
    "an error page as lines": ("a.jsonl", b"<html>\n<h1>502</h1>\n", [], ["not_json", "not_json"]),
    "an error page as a document": ("a.json", b"<!DOCTYPE html>\n<h1>502</h1>\n", [], ["not_json"]),
    "an error page as a table": ("a.csv", b'<!DOCTYPE html>\n<p class="a">502</p>\n' * 900, [], ["columns_missing"]),
    "an error page as Parquet": ("a.parquet", b"<!DOCTYPE html>\n<h1>502</h1>\n", [], ["parquet_broken"]),
    "an id with a path": ("a.jsonl", row("q", id="../../../escaped", user_id="../u"), ["q"], []),
    "terminal escapes": (
        "a.jsonl",
        row("\x1b]0;owned\x07\x1b[31mred") + b"\n\x1b[2J",
        ["\x1b]0;owned\x07\x1b[31mred"],
        ["not_json"],
    ),
    "broken quotes": (
        "a.csv",
        QUOTES.encode(),
        ["good one", "最后一条"],
        ["quotes_broken", "quotes_broken", "columns_differ"],
    ),
    "an unknown character in a table": ("a.csv", b"messages\na\nb\xff\nc\n", ["a", "c"], ["encoding_unknown"]),
    "Parquet without footer": ("a.parquet", as_parquet(ROWS)[:-20], [], ["parquet_broken"]),
    "Parquet of another schema": ("a.parquet", as_parquet([{"n": 1}, {"n": 2}]), [], ["columns_missing"]),
    "an empty Parquet file": ("a.parquet", b"", [], ["parquet_broken"]),
}


@pytest.mark.parametrize(("name", "raw", "good", "bad"), BAD.values(), ids=BAD)
def test_good_rows_are_used_and_bad_ones_counted_with_a_reason(
    tmp_path: Path, name: str, raw: bytes, good: list[str], bad: list[str]
) -> None:
    home = tmp_path / "home" / "in"
    home.mkdir(parents=True)
    result = pulled(home / name, raw)
    assert (asked(result), reasons(result)) == (good, bad)
    assert [p.name for p in tmp_path.iterdir()] == ["home"], "nothing is written beside the folder"


def test_text_in_parquet_that_is_not_utf_8_costs_its_row(tmp_path: Path) -> None:
    texts = pa.array([b"a", b"\xff", b"c"]).cast(pa.binary())
    broken = pa.StringArray.from_buffers(3, texts.buffers()[1], texts.buffers()[2])
    pq.write_table(pa.table({"messages": broken}), tmp_path / "a.parquet")
    result = pulled(tmp_path / "a.parquet", (tmp_path / "a.parquet").read_bytes())
    assert (asked(result), reasons(result)) == (["a", "c"], ["encoding_unknown"])


def test_a_document_beyond_the_limit_is_refused_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "MAX_DOCUMENT", 100)
    assert reasons(pulled(tmp_path / "a.json", b"[" + GOOD + b" " * 100 + b"]")) == ["file_too_large"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_long_file_is_read_in_little_memory(tmp_path: Path, name: str) -> None:
    rows = [{"id": str(n), "messages": f"{n} " + "text " * 200} for n in range(20_000)]
    made: dict[str, Callable[[], bytes]] = {
        "a.jsonl": lambda: "".join(json.dumps(row) + "\n" for row in rows).encode(),
        "a.csv": lambda: as_csv(rows).encode(),
        "a.parquet": lambda: as_parquet(rows, row_group_size=1000),
    }
    (tmp_path / name).write_bytes(made[name]())
    made.clear()
    tracemalloc.start()
    try:
        assert sum(line.row is not None for line in read(tmp_path / name)) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress], ids=["gz", "zst"])
def test_an_archive_that_unpacks_to_a_thousand_times_its_size_is_one_long_line(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "a.jsonl").write_bytes(pack(b"x" * 2**28) + pack(b"\n" + GOOD))
    tracemalloc.start()
    try:
        assert [line.reason for line in read(tmp_path / "a.jsonl")] == ["line_too_long", ""]
        assert tracemalloc.get_traced_memory()[1] < 6 * MAX_LINE
    finally:
        tracemalloc.stop()


TOOL = {"type": "function", "function": {"name": "clock"}}


def test_openai_captures_are_read_by_the_ready_mapping(tmp_path: Path) -> None:
    message = {"content": "嗨", "role": "assistant"}
    row = {
        "id": "c1",
        "ts": "2026-11-20T15:54:00.452+00:00",
        "request": {"model": "m", "messages": [{"role": "user", "content": "你好"}], "user": "u", "tools": [TOOL]},
        "response": {"choices": [{"message": message}]},
    }
    (record,) = pulled(tmp_path / "a.jsonl", json.dumps(row).encode(), mapping="openai").shards[0].records()
    assert (record.instruction, record.student_response, record.student) == ("你好", "嗨", "m")
    assert (record.tools, record.asked_at.hour, bool(record.user)) == (json.dumps([TOOL]), 15, True)


def test_sharegpt_and_alpaca_are_read_by_their_ready_mappings(tmp_path: Path) -> None:
    said = [{"from": "human", "value": "问"}, {"from": "gpt", "value": "答"}]
    raw = json.dumps([{"conversations": said, "system": "简短"}]).encode()
    (chat,) = pulled(tmp_path / "a.json", raw, mapping="sharegpt").shards[0].records()
    assert ([m.content for m in chat.messages], chat.student_response) == (["简短", "问"], "答")
    raw = json.dumps([{"instruction": "Translate.", "input": "你好", "output": "Hello"}]).encode()
    (one,) = pulled(tmp_path / "b.json", raw, mapping="alpaca").shards[0].records()
    assert (one.instruction, one.input, one.student_response) == ("Translate.", "你好", "Hello")
    assert READY["own"] == Source(uri="a").mapping == Source.model_validate({"uri": "a", "mapping": "own"}).mapping


def test_a_page_full_of_quotes_does_not_keep_the_search_for_a_delimiter_busy(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert reasons(pulled(tmp_path / "a.csv", b" '" * 32_000)) == ["columns_missing"]
    assert time.monotonic() - begun < 3, "csv.Sniffer needs ten seconds and more for all of it"
