"""What a technique made in an earlier increment is not made again: it has its state in that one's ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from tasks.history.ledger import MADE_BEFORE
from tasks.record import MADE
from tasks.shard import Shard
from tasks.step import Sieved


@dataclass(frozen=True)
class NewlyMade:
    """Drops made records whose ids stand in one of the `ledgers`."""

    ledgers: tuple[Shard, ...] = ()
    shape: ClassVar[Literal["table"]] = "table"

    def __repr__(self) -> str:
        return f"NewlyMade({', '.join(s.sha256 for s in self.ledgers)})"

    def __call__(self, table: pa.Table) -> Sieved:
        made = {roots[0] for roots in table.column("roots").to_pylist() if roots[0].startswith(MADE)}
        ledgers = self.ledgers if made else ()
        known = {i for s in ledgers for i in s.table(["log_id"]).column("log_id").to_pylist() if i in made}
        reason = [MADE_BEFORE if r[0] in known else None for r in table.column("roots").to_pylist()]
        return Sieved(table, pa.array(reason, pa.string()))
