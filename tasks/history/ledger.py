"""The source ledger: every log row that was read ends in exactly one state.

States: `published`, `merged` (into which row), `dropped:<reason>`, `gated:<rule>`, `unreadable`, `pending`, `used` for
a passage that others were made of, and `seen` for a row that an earlier increment already accounts for. A record
carries all its log ids as `roots`, so what becomes of the record becomes of them. What a technique made has an
id of its own, and a state like any log row; the two are counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tasks.record import MADE
from tasks.step import USED
from tasks.tally import Unbalanced

LEDGER = pa.schema(
    [
        ("log_id", pa.string()),
        ("state", pa.string()),
        ("into", pa.string()),
        ("detail", pa.string()),
        ("user", pa.string()),
    ]
)
GATED = "gated:"
NOT_REACHED = "not_reached"  # the reason of a passage that nothing was made of before a cap ended the work
MADE_BEFORE = "made_before"  # the reason of a record that an earlier increment made, and accounts for


@dataclass(slots=True)
class Ledger:
    """The states of one increment's log rows; `seen` is a number, as those rows stand in earlier ledgers."""

    seen: int = 0
    states: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def enter(self, log_ids: Iterable[str], state: str, into: str = "", detail: str = "") -> None:
        """Give rows their state. Raises Unbalanced for a row that has one."""
        for log_id in log_ids:
            if log_id in self.states:
                raise Unbalanced(f"log row {log_id} is both {self.states[log_id][0]} and {state}")
            self.states[log_id] = (state, into, detail)

    def publish(self, rows: Iterable[tuple[str, list[str]]]) -> None:
        """Rows that are published, as (row_id, roots): the first root is published, the others merged into it."""
        for row_id, roots in rows:
            self.enter(roots[:1], "published", row_id)
            self.enter(roots[1:], "merged", row_id)

    def drop(self, rows: Iterable[dict[str, Any]]) -> None:
        """Dropped rows of a stage. A row merged within the run is accounted for by the record that took its roots."""
        for row in rows:
            reason: str = row["reason"]
            if reason == MADE_BEFORE:
                continue
            if reason != "merged":
                state = reason if reason.startswith(GATED) or reason == USED else f"dropped:{reason}"
                self.enter(row["roots"], state, row["into"], row["detail"])
            elif row["into"].startswith("r-"):
                self.enter(row["roots"], "merged", row["into"])

    def close(self, read: Iterable[str]) -> None:
        """Check it against the log ids that were read. Raises Unbalanced with the rows that are lost or strange."""
        expected = set(read)
        if lost := sorted(expected - self.states.keys()):
            raise Unbalanced(f"{len(lost)} log rows have no state, the first is {lost[0]}")
        if strange := sorted(self.states.keys() - expected):
            raise Unbalanced(f"{len(strange)} log rows have a state but were not read, the first is {strange[0]}")

    @property
    def counts(self) -> dict[str, int]:
        """State -> log rows, `seen` included; the sum is what was read."""
        counted = Counter(state for i, (state, _, _) in self.states.items() if not i.startswith(MADE))
        if self.seen:
            counted["seen"] = self.seen
        return dict(sorted(counted.items()))

    @property
    def made(self) -> dict[str, int]:
        """State -> records that techniques made."""
        counted = Counter(state for i, (state, _, _) in self.states.items() if i.startswith(MADE))
        return dict(sorted(counted.items()))

    def table(self, users: Mapping[str, str]) -> pa.Table:
        ids = sorted(self.states)
        columns = zip(*(self.states[i] for i in ids), strict=True) if ids else ((), (), ())
        return pa.table([ids, *columns, [users.get(i, "") for i in ids]], schema=LEDGER)


def dropped(counts: Mapping[str, int]) -> dict[str, int]:
    """Reason -> rows, of the states that say why a row is gone."""
    gone = {s.removeprefix("dropped:"): n for s, n in counts.items() if s.startswith(("dropped:", GATED))}
    return dict(sorted(gone.items()))
