"""Log lines from files of every kind, and from files that are not what they seem."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from tasks.pull.files import files
from tasks.pull.formats import read
from tasks.pull.lines import MAX_LINE, Line
from tasks.recipe import RecipeError

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda raw: raw,
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


def lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def rows(path: Path) -> list[object]:
    return [line.row for line in read(path)]


def bad(path: Path) -> list[tuple[int, str]]:
    return [(line.number, line.reason) for line in read(path) if line.row is None]


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
@pytest.mark.parametrize("name", ["logs.jsonl", "logs.txt", "日志.jsonl.gz"])
def test_a_file_is_unpacked_by_its_bytes_whatever_its_name(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    (tmp_path / name).write_bytes(pack(lines({"问": "好"}, {"n": 2})))
    assert rows(tmp_path / name) == [{"问": "好"}, {"n": 2}]


@pytest.mark.parametrize("pack", [PACKERS["gz"], PACKERS["zst"]], ids=["gz", "zst"])
def test_archives_in_a_row_are_read_as_one(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """That is how `cat` and log rotation join them, also in the middle of a line."""
    raw = lines(*({"n": n, "text": f"{n * 7919}"} for n in range(5000)))
    (tmp_path / "a").write_bytes(pack(raw[:40000]) + pack(b"") + pack(raw[40000:]))
    assert rows(tmp_path / "a") == [{"n": n, "text": f"{n * 7919}"} for n in range(5000)]


@pytest.mark.parametrize("pack", [PACKERS["gz"], PACKERS["zst"]], ids=["gz", "zst"])
@pytest.mark.parametrize("kept", [0.5, 0.999])
def test_a_cut_archive_gives_the_lines_before_the_cut_and_says_that_it_is_cut(
    tmp_path: Path, pack: Callable[[bytes], bytes], kept: float
) -> None:
    raw = pack(lines(*({"n": n, "text": f"{n * 7919}"} for n in range(20000))))
    (tmp_path / "a").write_bytes(raw[: int(len(raw) * kept)])
    *whole, last = read(tmp_path / "a")
    assert len(whole) > 2000
    assert [line.row["n"] for line in whole if line.row] == list(range(len(whole)))
    assert (last.reason, last.number) == ("archive_broken", len(whole) + 1)
    assert b"ended before" in last.raw


@pytest.mark.parametrize("pack", [PACKERS["gz"], PACKERS["zst"]], ids=["gz", "zst"])
def test_a_broken_archive_is_a_line_that_cannot_be_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "a").write_bytes(pack(b"")[:6] + b"\x00rubbish" * 9)
    assert bad(tmp_path / "a") == [(1, "archive_broken")]


def test_each_bad_line_keeps_its_place_its_reason_and_its_bytes(tmp_path: Path) -> None:
    raw = [b'{"a": 1}', b"", b"{half", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"a": "\x00"}', b"[1]", b'{"b": 2}']
    (tmp_path / "a.jsonl").write_bytes(b"\r\n".join(raw))
    found = list(read(tmp_path / "a.jsonl"))
    assert [(line.number, line.reason) for line in found] == [
        (1, ""),
        (3, "not_json"),
        (4, "not_an_object"),
        (5, "encoding_unknown"),
        (6, "nested_too_deep"),
        (7, "not_json"),
        (8, "not_an_object"),
        (9, ""),
    ]
    assert found[1] == Line("a.jsonl", 3, None, "not_json", b"{half\r\n")


def test_a_byte_order_mark_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes("\ufeff".encode() + lines({"a": 1}))
    assert rows(tmp_path / "a.jsonl") == [{"a": 1}]


def test_a_last_line_without_an_end_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines({"a": 1}, {"a": 2}).rstrip())
    assert rows(tmp_path / "a.jsonl") == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("beyond", [0, 1, 10])
def test_a_line_that_is_too_long_costs_no_other_line(tmp_path: Path, beyond: int) -> None:
    """The limit falls before the line's end, on it, and behind it."""
    (tmp_path / "a.jsonl").write_bytes(lines({"a": 1}) + b"x" * (MAX_LINE - 1 + beyond) + b"\n" + lines({"a": 3}))
    first, long, last = read(tmp_path / "a.jsonl")
    assert (first.row, last.row, last.number) == ({"a": 1}, {"a": 3}, 3)
    assert (long.number, long.reason) == (2, "line_too_long" if beyond else "not_json")


@pytest.mark.parametrize("content", [b"", b"\n\n \n"])
def test_an_empty_file_has_no_lines(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    assert rows(tmp_path / "a.jsonl") == []


def test_a_source_is_a_file_a_folder_or_a_glob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.jsonl", "a.jsonl.gz", "c.ndjson.zst", ".hidden.jsonl", "notes.txt", "sub/d.jsonl", "x[1].jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def found(uri: str) -> list[str]:
        return [str(p.relative_to(tmp_path)) for p in files(uri)]

    assert found(str(tmp_path)) == ["a.jsonl.gz", "b.jsonl", "c.ndjson.zst", "x[1].jsonl"]
    assert found(f"{tmp_path}/*.txt") == ["notes.txt"]
    assert found(f"{tmp_path}/**/*.jsonl") == ["b.jsonl", "sub/d.jsonl", "x[1].jsonl"]
    assert found(f"{tmp_path}/x[1].jsonl") == ["x[1].jsonl"], "a file whose name looks like a glob"
    assert found(f"file://{tmp_path}/b.jsonl") == ["b.jsonl"]
    monkeypatch.chdir(tmp_path)
    assert found("b.jsonl") == ["b.jsonl"]


@pytest.mark.parametrize("uri", ["none.jsonl", "none/*.jsonl", "."])
def test_a_source_without_logs_says_what_was_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match="no logs at") as fault:
        files(uri)
    assert (fault.value.where, ".parquet" in fault.value.hint) == ("sources", True)
