"""Log rows from Parquet, a batch of a row group at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.pull.cells import Columns, column
from tasks.pull.lines import Line
from tasks.pull.unpacked import File, Ranged
from tasks.recipe import Mapping

MAGIC = b"PAR1"
BATCH = 256


def parquet(path: File, mapping: Mapping) -> Iterator[Line]:
    """The rows of a file. One without a footer, or without a messages column, is one line that cannot be read."""
    number = 0
    try:
        with pq.ParquetFile(cast(Any, path.ranged() if isinstance(path, Ranged) else path)) as file:
            names = file.schema_arrow.names
            if not column(mapping.messages, names):
                yield Line(path.name, 1, None, "columns_missing", ", ".join(names).encode("utf-8", "replace"))
                return
            columns = Columns.of(names, mapping)
            for batch in file.iter_batches(BATCH):
                for i in range(batch.num_rows):
                    number += 1
                    yield row(batch.slice(i, 1), columns, path.name, number)
    except (pa.ArrowException, OSError) as fault:
        yield Line(path.name, number + 1, None, "parquet_broken", str(fault).encode("utf-8", "replace"))


def row(one: pa.RecordBatch, columns: Columns, file: str, number: int) -> Line:
    try:
        cells = one.to_pylist()[0]
    except UnicodeDecodeError:
        return Line(file, number, None, "encoding_unknown")
    return columns.line(cells, file, number)
