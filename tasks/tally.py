"""What a step did to a shard, in numbers; it travels from task to task and adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from tasks.shard import Shard


class Unbalanced(RuntimeError):
    """Rows went in that did not come out: a fault of ours. Nothing is published."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The stage ledger of a step: seen + made = out + dropped + merged + pending.

    `shards` are the files that go on, `dropped_in` and `pending_in` those that say what did not.
    """

    stage: str
    seen: int = 0
    made: int = 0
    out: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    merged: int = 0
    pending: int = 0
    calls: int = 0
    hits: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    stopped: dict[str, str] = field(default_factory=dict)
    shards: tuple[Shard, ...] = ()
    dropped_in: tuple[Shard, ...] = ()
    pending_in: tuple[Shard, ...] = ()

    def balanced(self) -> Self:
        """Itself. Raises Unbalanced where the ledger does not close or the files hold other counts."""
        gone = sum(self.dropped.values())
        if self.seen + self.made != self.out + gone + self.merged + self.pending:
            raise Unbalanced(
                f"{self.stage}: {self.seen} in + {self.made} made is not "
                f"{self.out} out + {gone} dropped + {self.merged} merged + {self.pending} pending"
            )
        for what, count, files in (
            ("out", self.out, self.shards),
            ("dropped and merged", gone + self.merged, self.dropped_in),
            ("pending", self.pending, self.pending_in),
        ):
            if (stand := sum(f.rows for f in files)) != count:
                raise Unbalanced(f"{self.stage}: {count} {what}, but {stand} rows in the files")
        return self

    def plain(self) -> dict[str, Any]:
        """JSON-ready; the reverse of `of`."""
        same = {k: getattr(self, k) for k in self.__slots__}
        files = {k: [s.plain() for s in same[k]] for k in ("shards", "dropped_in", "pending_in")}
        return same | files

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        files = {k: tuple(Shard.of(s) for s in plain[k]) for k in ("shards", "dropped_in", "pending_in")}
        return cls(**(plain | files))


def total(stage: str, tallies: Iterable[Tally]) -> Tally:
    """The tallies of a stage's shards as one."""
    parts = list(tallies)
    dropped: Counter[str] = Counter()
    stopped: dict[str, str] = {}
    for part in parts:
        dropped.update(part.dropped)
        stopped |= part.stopped
    counts = {
        k: sum(getattr(p, k) for p in parts)
        for k in ("seen", "made", "out", "merged", "pending", "calls", "hits", "tokens_in", "tokens_out", "usd")
    }
    files = {k: tuple(s for p in parts for s in getattr(p, k)) for k in ("shards", "dropped_in", "pending_in")}
    return Tally(stage, dropped=dict(sorted(dropped.items())), stopped=stopped, **counts, **files)
