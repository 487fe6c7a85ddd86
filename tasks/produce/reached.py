"""Passages that no technique came to before a cap ended the work: they end here, and are read again in the next run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from tasks.history.ledger import NOT_REACHED
from tasks.link import kinds
from tasks.step import Sieved


@dataclass(frozen=True, slots=True)
class Reached:
    """Drops what is a passage still."""

    shape: ClassVar[Literal["table"]] = "table"

    def __call__(self, table: pa.Table) -> Sieved:
        reason = [NOT_REACHED if kind == "passages" else None for kind in kinds(table).tolist()]
        return Sieved(table, pa.array(reason, pa.string()))
