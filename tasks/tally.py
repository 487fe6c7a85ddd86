"""What a step did to a shard, in numbers; it travels from task to task and adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from tasks.shard import Shard
from tasks.teacher.count import Count


class Unbalanced(RuntimeError):
    """Rows went in that did not come out: a fault of ours. Nothing is published."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The stage ledger of a step: seen + made = out + dropped + merged + pending.

    `model` is who was asked, if anybody. `shards` are the files that go on, `dropped_in` and `pending_in` those that
    say what did not. `noted` is what a step counted beside its rows: pairs that it compared, say. `passed` are those
    of `seen` that a link of a chain does not take and lets pass; None for what is no link.
    """

    stage: str
    seen: int = 0
    made: int = 0
    out: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    merged: int = 0
    pending: int = 0
    spent: Count = field(default_factory=Count)
    model: str = ""
    stopped: dict[str, str] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)
    passed: int | None = None
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
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        files: dict[str, Any] = {k: tuple(Shard.of(s) for s in plain[k]) for k in FILES}
        files["spent"] = Count(**plain["spent"])
        return cls(**{**plain, **files})


FILES = ("shards", "dropped_in", "pending_in")


def total(stage: str, tallies: Iterable[Tally]) -> Tally:
    """The tallies of a stage's shards as one."""
    parts = list(tallies)
    return Tally(
        stage=stage,
        seen=sum(p.seen for p in parts),
        made=sum(p.made for p in parts),
        out=sum(p.out for p in parts),
        dropped=dict(sorted(sum((Counter(p.dropped) for p in parts), Counter[str]()).items())),
        merged=sum(p.merged for p in parts),
        pending=sum(p.pending for p in parts),
        spent=sum((p.spent for p in parts), Count()),
        stopped={reason: said for p in parts for reason, said in p.stopped.items()},
        noted=dict(sum((Counter(p.noted) for p in parts), Counter[str]())),
        passed=sum(passed) if (passed := [p.passed for p in parts if p.passed is not None]) else None,
        shards=tuple(s for p in parts for s in p.shards),
        dropped_in=tuple(s for p in parts for s in p.dropped_in),
        pending_in=tuple(s for p in parts for s in p.pending_in),
    )
