"""Log rows from Parquet, a batch of a row group at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.pull.cells import column, inner, structured
from tasks.pull.lines import Line, plain
from tasks.recipe import Mapping

MAGIC = b"PAR1"
BATCH = 256


def parquet(path: Path, mapping: Mapping) -> Iterator[Line]:
    """The rows of a file. One without a footer, or without a messages column, is one line that cannot be read."""
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if not column(mapping.messages, names):
                yield Line(path.name, 1, None, "columns_missing", ", ".join(names).encode("utf-8", "replace"))
                return
            deep = inner(names, mapping)
            for batch in file.iter_batches(BATCH):
                for line in rows(batch, path.name, number, mapping.messages, deep):
                    number = line.number
                    yield line
    except (pa.ArrowException, OSError) as fault:
        yield Line(path.name, number + 1, None, "parquet_broken", str(fault).encode("utf-8", "replace"))


def rows(batch: pa.RecordBatch, file: str, before: int, messages: str, deep: frozenset[str]) -> Iterator[Line]:
    for i in range(batch.num_rows):
        try:
            raw = json.dumps(batch.slice(i, 1).to_pylist()[0], ensure_ascii=False, default=written)
            row = structured(plain(raw), messages, deep)
        except UnicodeDecodeError:
            yield Line(file, before + i + 1, None, "encoding_unknown")
        except RecursionError:
            yield Line(file, before + i + 1, None, "nested_too_deep")
        else:
            yield Line(file, before + i + 1, row, "", raw.encode("utf-8", "surrogatepass"))


def written(value: Any) -> str:
    """A value that JSON does not have, as text. A time without a zone is UTC."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
