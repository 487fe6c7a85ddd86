"""What a call store holds, looked at from outside a run: figures, single calls, an export.

Reading needs no lock and works while a run writes; to forget (forgetting.py) is for whoever holds the dataset.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.shard import placed
from tasks.teacher.batched import waiting
from tasks.teacher.costs import MODELS, STAGES, Cost, costs
from tasks.teacher.packing import Packing
from tasks.teacher.store import looking_at, stored_of

EXPORT = pa.schema(
    [
        *((name, pa.string()) for name in ("key", "outcome", "at", "model", "request", "text", "reasoning", "finish")),
        ("seconds", pa.float64()),
        ("max_tokens", pa.int64()),
        ("prompt_tokens", pa.int64()),
        ("response_tokens", pa.int64()),
        ("tool_calls", pa.list_(pa.struct([(n, pa.string()) for n in ("id", "name", "arguments")]))),
    ]
)
BATCH = 5000
LATEST = """
select c.key, c.outcome, c.max_tokens, c.latency, c.at, c.request, c.reply from calls c
where (? = '' or c.outcome = ?) and (? = '' or c.key in (select key from attempts where record = ?))
order by c.at desc, c.key limit ?
"""
ALL = "select key, outcome, max_tokens, latency, at, request, reply from calls order by key"


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A store, read-only."""
    with contextlib.closing(looking_at(path)) as link:
        link.row_factory = sqlite3.Row
        yield link


def figures(path: Path, run: str = "") -> dict[str, Any]:
    """Answers kept, batches that wait to be collected, and by stage the attempts by outcome, tokens, money and seconds,
    also for each of its models; of one run, or of all."""
    with reading(path) as link:
        stages: dict[str, dict[str, Any]] = {c.stage: shown(c) | {"models": {}} for c in costs(link, STAGES, run)}
        for cost in costs(link, MODELS, run):
            stages[cost.stage]["models"][cost.model] = shown(cost)
        kept = dict(link.execute("select outcome, count(*) from calls group by outcome order by outcome").fetchall())
        batches = waiting(link)
        runs = [r[0] for r in link.execute("select distinct run from attempts order by run")]
    return {"kept": kept, "bytes": path.stat().st_size, "runs": runs, "stages": stages, "batches": batches}


def shown(cost: Cost) -> dict[str, Any]:
    """A cost without its names."""
    return {k: v for k, v in asdict(cost).items() if k not in ("stage", "model")}


def latest(path: Path, many: int, outcome: str = "", record: str = "") -> list[dict[str, Any]]:
    """The newest calls, as rows of the export; of one outcome, or for one record (a prompt's id)."""
    with reading(path) as link:
        unpacking = Packing(link)
        return [row(c, unpacking) for c in link.execute(LATEST, (outcome, outcome, record, record, many))]


def export(path: Path, target: Path) -> int:
    """Every call as a Parquet file, which is as private as the store; gives how many."""
    with reading(path) as link, placed(target) as file:
        os.fchmod(file.fileno(), 0o600)
        with pq.ParquetWriter(file, EXPORT, compression="zstd") as out:
            unpacking, found, written = Packing(link), link.execute(ALL), 0
            while some := found.fetchmany(BATCH):
                out.write_table(pa.Table.from_pylist([row(c, unpacking) for c in some], schema=EXPORT))
                written += len(some)
    return written


def row(found: Iterable[Any], unpacking: Packing) -> dict[str, Any]:
    call = stored_of(tuple(found), unpacking)
    same = {n: getattr(call.reply, n) for n in ("text", "reasoning", "finish", "model", "prompt_tokens")}
    return same | {
        "key": call.key,
        "outcome": call.outcome,
        "at": call.at,
        "request": call.request,
        "seconds": call.latency,
        "max_tokens": call.max_tokens,
        "response_tokens": call.reply.response_tokens,
        "tool_calls": [dict(c) for c in call.reply.tool_calls],
    }
