"""Files of benchmark questions, read whole: every text of every column or field, with its file and line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.recipe import RecipeError, located

FIELD = "mine.benchmarks"
HINT = "a file of UTF-8: .jsonl, .json, .csv, .tsv, .parquet, or any other with a question on each line"


def standing(files: Iterable[str]) -> None:
    """Raises RecipeError for a file that is not there, before a run has begun."""
    for named in files:
        if not located(named).is_file():
            raise RecipeError(f"no benchmark at {located(named)}", FIELD, HINT)


def questions(named: str) -> Iterator[tuple[int, str]]:
    """(line, text) of a file; the number of the item or row where it has no lines. Raises RecipeError."""
    file = located(named)
    try:
        for line, item in items(file):
            yield from ((line, text) for text in texts(item))
    except OSError as fault:
        raise RecipeError(f"no benchmark at {file}: {fault.strerror or fault}", FIELD, HINT) from None
    except (ValueError, csv.Error, RecursionError, pa.ArrowException) as fault:
        said = " ".join(str(fault).split())[:200]
        raise RecipeError(f"the benchmark {file} cannot be read: {said}", FIELD, HINT) from None


def items(file: Path) -> Iterator[tuple[int, Any]]:
    match file.suffix.lower():
        case ".parquet":
            yield from parquet(file)
        case ".csv" | ".tsv" as ending:
            with file.open(encoding="utf-8-sig", newline="") as stream:
                reader = csv.reader(stream, delimiter="\t" if ending == ".tsv" else ",", strict=True)
                yield from ((reader.line_num, cells) for cells in reader)
        case ".json" | ".jsonl" | ".ndjson":
            yield from json_items(file.read_text("utf-8-sig"))
        case _:
            yield from enumerate(file.read_text("utf-8-sig").split("\n"), 1)


def parquet(file: Path) -> Iterator[tuple[int, Any]]:
    number = 0
    with pq.ParquetFile(file) as opened:
        for batch in opened.iter_batches(2048):
            for row in batch.to_pylist():
                number += 1
                yield number, row


def json_items(text: str) -> Iterator[tuple[int, Any]]:
    """A document (the elements of its array, or of the arrays in its object), or an object on each line."""
    try:
        whole = json.loads(text)
    except ValueError:
        yield from ((n, json.loads(line)) for n, line in enumerate(text.split("\n"), 1) if line.strip())
        return
    arrays = [v for v in whole.values() if isinstance(v, list)] if isinstance(whole, dict) else [whole]
    if isinstance(whole, dict) and not arrays:
        arrays = [[whole]]
    yield from enumerate((item for array in arrays for item in (array if isinstance(array, list) else [array])), 1)


def texts(item: Any) -> Iterator[str]:
    """Every text in an item, however deep."""
    if isinstance(item, str):
        yield item
    elif isinstance(item, dict | list):
        for inner in item.values() if isinstance(item, dict) else item:
            yield from texts(inner)
