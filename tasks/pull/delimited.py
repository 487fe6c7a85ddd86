"""Log rows from CSV and TSV: a header, then a row for each record, in which quoted text may hold line ends.

The delimiter is the one by which the header has a messages column; csv.Sniffer is asked where none of
the usual does, for it is easily misled by prose. A quote that never closes costs its own line, not the
rest of the file: reading goes on with the line behind it.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tasks.encoding import decoded
from tasks.pull.cells import column, inner, structured
from tasks.pull.lines import FIRST, MAX_LINE, Line, Physical, physical
from tasks.pull.unpacked import HEAD
from tasks.recipe import Mapping

USUAL = ",\t;|"
SNIFFED = 4096  # its time grows with the square of what it is given


class Unclosed(csv.Error):
    """A record does not end where it should."""


@dataclass
class Records:
    """Records of CSV from physical lines, one after the other; lines that a broken record took come back."""

    lines: Iterator[Physical]
    delimiter: str
    waiting: deque[Physical] = field(default_factory=deque)
    taken: list[Physical] = field(default_factory=list)

    def fed(self) -> Iterator[str]:
        """Lines for one record, remembered."""
        size = 0
        while line := self.waiting.popleft() if self.waiting else next(self.lines, None):
            self.taken.append(line)
            size += len(line.raw)
            if not line.whole or size > MAX_LINE:
                raise Unclosed
            text = decoded(line.raw)
            yield line.raw.decode("utf-8", "replace") if text is None else text

    def next(self) -> list[str] | None:
        """The cells of the next record; none where there is no more. Raises csv.Error, with one line in `taken`."""
        self.taken = []
        try:
            return next(csv.reader(self.fed(), delimiter=self.delimiter, strict=True), None)
        except csv.Error:
            self.taken, behind = self.taken[:1], self.taken[1:]
            self.waiting.extendleft(reversed(behind))
            raise

    @property
    def raw(self) -> bytes:
        return b"".join(line.raw for line in self.taken)


def delimited(stream: io.BufferedReader, file: str, mapping: Mapping, delimiter: str | None) -> Iterator[Line]:
    """The rows of a file with a header. One without a messages column is one line that cannot be read."""
    csv.field_size_limit(MAX_LINE)
    records = Records(physical(stream), delimiter or found(stream.peek(HEAD)[:HEAD], mapping))
    try:
        while (header := records.next()) == []:
            pass
    except csv.Error:
        header = ["?"]
    if header is None:
        return
    if not column(mapping.messages, header):
        yield Line(file, records.taken[0].number, None, "columns_missing", records.raw[:FIRST])
        return
    deep = inner(header, mapping)
    while True:
        try:
            cells = records.next()
        except csv.Error:
            first = records.taken[0]
            yield Line(file, first.number, None, "quotes_broken" if first.whole else "line_too_long", first.raw)
            continue
        if cells is None:
            return
        if cells:
            yield row(
                records,
                header,
                cells,
                Line(file, records.taken[0].number, None, "", records.raw),
                mapping.messages,
                deep,
            )


def row(records: Records, header: list[str], cells: list[str], line: Line, messages: str, deep: frozenset[str]) -> Line:
    if any(decoded(taken.raw) is None for taken in records.taken):
        return replace(line, reason="encoding_unknown")
    if len(cells) != len(header):
        return replace(line, reason="columns_differ")
    return replace(line, row=structured(dict(zip(header, cells, strict=True)), messages, deep))


def found(head: bytes, mapping: Mapping) -> str:
    """The delimiter of a file that begins like this."""
    lines = [text for line in head.splitlines(keepends=True) if (text := decoded(line))]
    for sign in USUAL:
        try:
            if column(mapping.messages, next(csv.reader(lines[:1], delimiter=sign), [])):
                return sign
        except csv.Error:
            continue
    try:
        sign = csv.Sniffer().sniff("".join(lines)[:SNIFFED]).delimiter
    except csv.Error:
        return ","
    return "," if sign.isalnum() or sign in "\"' \r\n" else sign
