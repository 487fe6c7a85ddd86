"""Pull one source: its log lines as shards of records, each line counted once.

A row that an earlier increment knows is `seen`, wherever in the file it stands: late rows are found by
their id, not by their time. A row outside the window was not read. A database is not even asked for rows
that are older than what was read of it, but for an overlap in which late ones are looked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from tasks.pull.bounds import Bounds, Met, printable
from tasks.pull.files import files
from tasks.pull.formats import read
from tasks.pull.lines import Line
from tasks.pull.rows import Unreadable, record_of
from tasks.pull.unpacked import File
from tasks.pull.window import Window
from tasks.recipe import Pulling, Source
from tasks.record import Record, identity
from tasks.shard import Shard, write, write_records

BOUND = Pulling()
KEPT = 2**16  # bytes of an unreadable line; its id is made of all of them
UNREADABLE = pa.schema(
    [
        ("log_id", pa.string()),
        ("source", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("reason", pa.string()),
        ("raw", pa.binary()),
    ]
)


@dataclass(slots=True)
class Pulled:
    """What a source gave: read = rows in the shards + seen + unreadable. `outside` the window was not read."""

    source: str
    uri: str
    stream: str = ""
    seen: int = 0
    outside: int = 0
    watermark: str = ""
    shards: list[Shard] = field(default_factory=list)
    unreadable: list[Shard] = field(default_factory=list)

    @property
    def new(self) -> int:
        return sum(s.rows for s in (*self.shards, *self.unreadable))

    @property
    def read(self) -> int:
        return self.seen + self.new

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        files: dict[str, Any] = {k: [Shard.of(s) for s in plain[k]] for k in ("shards", "unreadable")}
        return cls(**(plain | files))


def pull(
    source: Source,
    window: Window,
    known: Collection[str],
    folder: Path,
    shard_rows: int,
    bound: Pulling = BOUND,
    resume: datetime | None = None,
) -> Pulled:
    """Read a source into `folder`; a database from `resume` on, all before it being known. Raises RecipeError where
    there is nothing to read, or too much that cannot be."""
    pulled = Pulled(source.name, source.uri, stream(source))
    bounds = Bounds(bound, Met(printable(source.uri)))
    met: set[str] = set()
    batch: list[Record] = []
    bad: list[dict[str, Any]] = []
    mark: datetime | None = None

    def flush(size: int) -> None:
        if len(batch) >= size:
            pulled.shards.append(write_records(batch, folder / f"part-{len(pulled.shards):05d}.parquet"))
            batch.clear()
        if len(bad) >= size:
            place = folder / f"unreadable-{len(pulled.unreadable):05d}.parquet"
            pulled.unreadable.append(write(pa.Table.from_pylist(bad, schema=UNREADABLE), place))
            bad.clear()

    for name, lines in parts(source, Window(window.since or resume, window.until)):
        bounds.begin(name)
        for line in lines:
            try:
                record = record_of(row(line), source.mapping, source.name)
            except (Unreadable, RecursionError) as why:
                reason = str(why) if isinstance(why, Unreadable) else "nested_too_deep"
                log_id = identity("l", source.name, line.file, line.number, line.raw.hex())
                if log_id in known or log_id in met:
                    pulled.seen += 1
                else:
                    met.add(log_id)
                    bad.append(quarantined(log_id, source, line, reason))
                    bounds.count(line, reason)
                    flush(shard_rows)
                continue
            log_id = record.roots[0]
            if record.asked_at not in window:
                pulled.outside += 1
                bounds.count(line)
            elif log_id in known or log_id in met:
                pulled.seen += 1
            else:
                met.add(log_id)
                mark = max(mark or record.asked_at, record.asked_at)
                batch.append(record)
                bounds.count(line)
                flush(shard_rows)
        bounds.end(bounds.file)
    bounds.end(bounds.source)
    flush(1)
    pulled.watermark = mark.isoformat() if mark else ""
    return pulled


def stream(source: Source) -> str:
    """Names what is read and how: with another query, mapping or since, what was read so far says nothing."""
    since = source.since.isoformat() if source.since else ""
    return identity("s", source.name, source.uri, source.table, source.query, source.mapping.model_dump(), since)


def parts(source: Source, window: Window) -> Iterator[tuple[str, Iterator[Line]]]:
    """The files of a source, or its table, each with its rows: of files all, of a database at least those in the
    window."""
    if source.database:
        from tasks.pull.database import rows

        yield source.table or "query", rows(source, window)
        return
    for file in found(source):
        yield file.name, read(file, source.mapping, source.delimiter)


def found(source: Source) -> Sequence[File]:
    """The files of a source, here or behind a URL."""
    if not source.remote:
        return files(source.uri)
    from tasks.pull.remote import remote

    return remote(source)


def row(line: Line) -> dict[str, Any]:
    if line.row is None:
        raise Unreadable(line.reason)
    return line.row


def quarantined(log_id: str, source: Source, line: Line, reason: str) -> dict[str, Any]:
    return {
        "log_id": log_id,
        "source": source.uri,
        "file": line.file,
        "line": line.number,
        "reason": reason,
        "raw": line.raw[:KEPT],
    }
