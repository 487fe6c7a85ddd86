"""A growing technique at work: the real loop, the real engine, a scripted teacher on loopback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.loop import Bench, run
from tasks.produce.shelf import PRODUCE
from tasks.record import Record
from tasks.shard import write_records
from tasks.tally import Tally
from tests.engines import engine_at
from tests.faults import FaultsServer


@dataclass(frozen=True)
class Grown:
    """What came of it: the records that the technique made, and (text, reason) of what it dropped."""

    tally: Tally
    made: list[Record]
    dropped: list[tuple[str, str]]

    @property
    def texts(self) -> list[str]:
        return [record.instruction for record in self.made]


async def grown(
    named: str, settings: dict[str, Any], server: FaultsServer, folder: Path, pool: Sequence[Record] = (), seed: int = 7
) -> Grown:
    """The technique as a recipe names it, through the loop, which balances its books."""
    link = PRODUCE.link({named: settings}, 0)
    given = [write_records(pool, folder / "in.parquet")] if pool else []
    async with engine_at(server, folder) as engine:
        tally = await run(link, given, Bench(folder / "work", seed, engines={"teacher": engine}))
    out = [record for shard in tally.shards for record in shard.records()]
    gone = pa.concat_tables([shard.table() for shard in tally.dropped_in]).to_pylist()
    ids = {record.prompt_id for record in pool}
    return Grown(
        tally,
        [record for record in out if record.prompt_id not in ids],
        [(row["messages"][-1]["content"], row["reason"]) for row in gone],
    )


def as_json(**said: Any) -> str:
    return json.dumps(said, ensure_ascii=False)
