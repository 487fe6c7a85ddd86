"""Log lines from JSON Lines, and the shape in which every format gives its rows.

Files are streamed. A row that cannot be used is given with its position and bytes, so that the caller
can keep it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tasks.encoding import decoded

MAX_LINE = 32 * 2**20
FIRST = 4096


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a log: what it holds, or why it cannot be read; and the bytes that stand there (the first of them).

    `number` counts lines of JSON Lines and CSV, rows of JSON and Parquet, from 1; a database's rows have none, 0.
    """

    file: str
    number: int
    row: dict[str, Any] | None
    reason: str = ""
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Physical:
    """What stands between two line ends; `whole` says whether it is short enough to be here in full."""

    number: int
    raw: bytes
    whole: bool = True


def physical(stream: BinaryIO) -> Iterator[Physical]:
    """The lines of a stream, blank ones included; of one that is too long its beginning."""
    number = 0
    while raw := stream.readline(MAX_LINE + 1):
        number += 1
        if len(raw) <= MAX_LINE:
            yield Physical(number, raw)
            continue
        yield Physical(number, raw[:FIRST], whole=False)
        while raw and not raw.endswith(b"\n"):
            raw = stream.readline(MAX_LINE)


def json_lines(stream: BinaryIO, file: str) -> Iterator[Line]:
    """A JSON object on each line; blank lines are left out."""
    for line in physical(stream):
        if not line.whole:
            yield Line(file, line.number, None, "line_too_long", line.raw)
        elif line.raw.strip():
            yield parsed(file, line.number, line.raw)


def parsed(file: str, number: int, raw: bytes) -> Line:
    """A line as a row, or the reason why not."""
    text = decoded(raw)
    if text is None:
        return Line(file, number, None, "encoding_unknown", raw)
    try:
        row = plain(text)
    except RecursionError:
        return Line(file, number, None, "nested_too_deep", raw)
    except ValueError:
        return Line(file, number, None, "not_json", raw)
    return Line(file, number, row, "", raw) if isinstance(row, dict) else Line(file, number, None, "not_an_object", raw)


def plain(text: str) -> Any:
    """JSON as plain data; NaN and Infinity, which JSON does not have, say that there is no value. Raises ValueError."""
    return json.loads(text, parse_constant=nothing)


def nothing(_: str) -> None:
    return None
