"""Tables that are read where they lie on disk: larger than memory, if need be, and never copied to be looked at.

A table of a whole run is mostly text that a step looks at once. Mapped, its pages are the system's to keep or to drop.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa


def mapped(path: Path) -> pa.Table:
    """An Arrow file as a table."""
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def spooled(tables: Iterable[pa.Table], schema: pa.Schema, folder: Path | None) -> pa.Table:
    """Tables one after the other as one that lies in `folder`, in a file that nobody else can open and that is gone
    with the table, however the process ends; in memory where there is no folder."""
    if folder is None:
        return pa.concat_tables([schema.empty_table(), *tables])
    folder.mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(".arrow", ".", folder)
    try:
        with os.fdopen(handle, "wb") as out, pa.ipc.new_file(out, schema) as sink:
            for table in tables:
                sink.write_table(table)
        return mapped(Path(path))
    finally:
        os.unlink(path)
