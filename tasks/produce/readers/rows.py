"""Rows of CSV, TSV, JSON Lines, JSON and Parquet, and the texts that they tell: one a row, a table, or triples.

All but JSON, which is one value, are read a piece at a time, so that a file may be larger than the memory.

A file with a text column holds a text in each row. One with the columns of a triple (subject, predicate, object, or
what else these are called) tells a text for each subject. Any other CSV is one table.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from tasks.produce.readers.found import Found, Unreadable
from tasks.produce.readers.plain import stream_of, text_of
from tasks.produce.readers.tables import markdown
from tasks.produce.readers.triples import columns, facts

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
BATCH = 1024


@dataclass(frozen=True, slots=True)
class Row:
    """A row's number, from 1, and its cells by column; or the reason why it cannot be read."""

    number: int
    cells: dict[str, Any] | None
    reason: str = ""


def rows(file: Path) -> Iterator[Row]:
    """Every row of a file. Raises Unreadable, or what the parser raises, where the file is broken as a whole."""
    name = file.name.lower()
    if name.endswith(".parquet"):
        yield from parquet(file)
    elif name.endswith((".csv", ".tsv")):
        with stream_of(file) as text:
            yield from delimited(text, "\t" if name.endswith(".tsv") else "")
    elif name.endswith(".json"):
        yield from document(text_of(file))
    elif name.endswith((".jsonl", ".ndjson")):
        with stream_of(file) as text:
            yield from lines(text)
    else:
        raise Unreadable("unknown_format", f"expected a name that ends in {', '.join(ENDINGS)}")


def parquet(file: Path) -> Iterator[Row]:
    import pyarrow.parquet as pq

    batches = pq.ParquetFile(file).iter_batches(BATCH)
    plain = (cells for batch in batches for cells in batch.to_pylist())
    yield from (Row(number, cells) for number, cells in enumerate(plain, 1))


def delimited(text: Iterator[str], delimiter: str) -> Iterator[Row]:
    """Rows below a header; its delimiter is the one of `,`, `;` and tab that the header has most of."""
    header = next((line.lstrip() for line in text if line.strip()), "")
    below = chain([header], text)
    read = csv.DictReader(below, delimiter=delimiter or max(",;\t", key=header.count), strict=True)
    try:
        for number, cells in enumerate(read, 2):
            whole = None not in cells and None not in cells.values()
            yield Row(number, cells if whole else None, "" if whole else "columns_differ")
    except csv.Error as fault:
        where = f"the row at line {read.line_num + 1}"
        raise Unreadable("broken", f"{where}: a quote in it does not close as it should ({fault})") from None


def document(text: str) -> Iterator[Row]:
    """A JSON file that is a list of objects."""
    plain = json.loads(text)
    if not isinstance(plain, list):
        raise Unreadable("not_a_list", "expected a list of objects")
    for number, cells in enumerate(plain, 1):
        yield Row(number, cells) if isinstance(cells, dict) else Row(number, None, "not_an_object")


def lines(text: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError):
            yield Row(number, None, "not_json")
            continue
        yield Row(number, cells) if isinstance(cells, dict) else Row(number, None, "not_an_object")


def told(file: Path, column: str) -> Iterator[Found]:
    """The texts of a file of rows; the first row that can be read says which these are."""
    there, before = rows(file), list[Row]()
    for row in there:
        before.append(row)
        if row.cells is not None:
            break
    names = list(before[-1].cells or ()) if before else []
    every = chain(before, there)
    if column in names:
        yield from of_column(every, column)
        return
    good: list[dict[str, Any]] = []
    for row in every:
        if row.cells is None:
            yield Found(f"row {row.number}", reason=row.reason)
        else:
            good.append(row.cells)
    if triple := columns(names):
        yield from facts(good, triple)
    elif file.name.lower().endswith((".csv", ".tsv")):
        cells = [[str(one[name]) for name in names] for one in good]
        yield Found(text=f"## {file.stem}\n\n{markdown([names, *cells])}" if good else "")
    elif good:
        hint = "name the one that holds the text as `column`; a table of facts is read from CSV"
        raise Unreadable("no_text_column", f"no column {column}; there are {', '.join(names)[:150]}: {hint}")


def of_column(there: Iterable[Row], column: str) -> Iterator[Found]:
    """A text for each row, as they are read."""
    for row in there:
        text = row.cells.get(column) if row.cells else None
        reason = row.reason or ("" if isinstance(text, str) else "no_text")
        yield Found(f"row {row.number}", text if isinstance(text, str) else "", reason)
