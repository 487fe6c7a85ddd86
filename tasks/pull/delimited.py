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
from dataclasses import dataclass, field

from tasks.pull.cells import column, structured
from tasks.pull.encoding import decoded
from tasks.pull.lines import FIRST, MAX_LINE, Line, Physical, physical
from tasks.pull.unpacked import HEAD
from tasks.recipe import Mapping

USUAL = ",\t;|"
SNIFFED_LINES = 20


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
            yield row(records, header, cells, file, mapping)


def row(records: Records, header: list[str], cells: list[str], file: str, mapping: Mapping) -> Line:
    number, raw = records.taken[0].number, records.raw
    if any(decoded(line.raw) is None for line in records.taken):
        return Line(file, number, None, "encoding_unknown", raw)
    if len(cells) != len(header):
        return Line(file, number, None, "columns_differ", raw)
    return Line(file, number, structured(dict(zip(header, cells, strict=True)), mapping), "", raw)


def found(head: bytes, mapping: Mapping) -> str:
    """The delimiter of a file that begins like this."""
    lines = [text for line in head.splitlines(keepends=True)[:SNIFFED_LINES] if (text := decoded(line))]
    for sign in USUAL:
        try:
            if column(mapping.messages, next(csv.reader(lines[:1], delimiter=sign), [])):
                return sign
        except csv.Error:
            continue
    try:
        return csv.Sniffer().sniff("".join(lines)).delimiter
    except csv.Error:
        return ","
