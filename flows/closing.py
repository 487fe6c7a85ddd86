"""How a turn of the wheel ends: a version is published, or the increment is recorded without one."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.report import Report, failed, teacher
from flows.stages import Given
from flows.terms import terms
from tasks.gate.finding import blocking
from tasks.gate.task import inspect
from tasks.history.dataset import Dataset, Entry, digest, read_manifest
from tasks.history.increment import Closed, Read, finished, stopped
from tasks.publish.finish import TOLD, finish, manifest
from tasks.publish.task import export, publish, stage
from tasks.publish.version import beside, change, prompts_of, rules
from tasks.pull.source import Pulled
from tasks.recipe import Recipe
from tasks.tally import Tally
from tasks.taxonomy import Taxonomy
from tasks.teacher.budget import Purse
from tasks.teacher.endpoints import kind

HINTS = {
    "blocked": "flywheel gates shows it; mend the recipe or the suite and run again: no call is paid twice",
    "budget": "raise the budget and run again: it goes on from here",
    "teacher": "mend it and run again: it goes on from here",
}


@dataclass(frozen=True)
class Taken:
    """What the run took in: its sources, their rows, and the window as (since, until)."""

    pulled: list[Pulled]
    read: Read
    window: tuple[str, str]

    @property
    def nothing(self) -> bool:
        return not any(s.rows for s in self.read.records) and not self.read.unreadable.num_rows

    def sources(self) -> list[dict[str, Any]]:
        """The sources for the increment's entry."""
        since, until = self.window
        kept = ("source", "uri", "stream", "seen", "outside", "new", "watermark")
        return [{k: getattr(p, k) for k in kept} | {"since": since, "until": until} for p in self.pulled]


@dataclass
class Closing:
    """The end of one run. `early` are the stages up to the dedup of prompts, `produced` those that made more of them;
    `done` all of them, growing."""

    recipe: Recipe
    dataset: Dataset
    taken: Taken
    purse: Purse
    done: list[Tally]
    early: Sequence[Tally] = ()
    produced: Sequence[Tally] = ()

    def settle(self, rows: pa.Table, last: Given) -> Report:
        """Stage, inspect, commit; or record why not. `rows` are the new rows, each with its side."""
        late = self.done[len(self.early) + len(self.produced) :]
        suite = self.recipe.gates.suite
        findings = inspect("this run", suite, [t.plain() for t in late], None)
        if why := blocking(findings):
            return self.cut_short("blocked", why, findings)
        closed = finished(self.taken.read, self.early, late, rows, self.produced, self.dataset.work)
        if not rows.num_rows:
            self.dataset.commit(self.entry("nothing_new", closed, gates=findings), closed.tables)
            shutil.rmtree(self.dataset.work, ignore_errors=True)
            return self.report("nothing_new", closed, findings)
        base = self.dataset.base
        parent = str(self.dataset.versions / base) if base else None
        staged = stage(str(self.dataset.work / "version"), rows, parent, self.merged(closed), last)
        findings += inspect(
            "the staged files", suite, [], staged, terms(self.recipe, self.dataset, closed.ledger.counts)
        )
        if why := blocking(findings):
            return self.cut_short("blocked", why, findings)
        entry = self.finish(closed, rows.num_rows, staged, findings)
        where = publish(self.dataset, entry, closed.tables, staged, findings)
        if keep := self.recipe.output.keep:
            self.dataset.retire(keep, self.recipe.output.pinned)
        shutil.rmtree(self.dataset.work, ignore_errors=True)
        report = self.report("published", closed, findings)
        report.version, report.path, report.rows_new = entry.version, where, rows.num_rows
        return report

    def cut_short(self, status: str, why: str, findings: Sequence[dict[str, Any]] = ()) -> Report:
        """Record the increment with everything that the teacher was to see still pending."""
        closed = stopped(self.taken.read, self.early, self.dataset.work)
        self.dataset.commit(self.entry(status, closed, why=why, gates=findings), closed.tables)
        report = self.report(status, closed, findings)
        report.error = failed(status, why, hint=HINTS[status]).error
        return report

    def capped(self, report: Report, why: str) -> Report:
        """The report of a run that published what its budget allowed; the rest is pending."""
        if report.status in ("published", "nothing_new"):
            report.status, report.error = "budget", failed("budget", why, hint=HINTS["budget"]).error
        return report

    def finish(self, closed: Closed, new: int, staged: dict[str, Any], findings: list[dict[str, Any]]) -> Entry:
        """The version's manifest, card and reports; gives the entry that will publish it."""
        folder, base, chain = Path(staged["folder"]), self.dataset.base, self.dataset.chain
        made_by = rules(Taxonomy.read(self.recipe.label.taxonomy), self.recipe.split)
        at = self.dataset.versions / base if base else None
        parent = read_manifest(at) if at else None
        number = self.dataset.next_version(change(parent, made_by, new))
        entry = self.entry("published", closed, number, gates=findings)
        marks = [s["watermark"] for e in (*chain, entry) for s in e.sources if s["watermark"]]
        increments = [{"seq": e.seq, "sha256": digest(e, self.dataset)} for e in chain] + [{"seq": entry.seq}]
        sides = beside(folder, TOLD)
        plain = manifest(
            self.recipe,
            number,
            base,
            staged["files"],
            sides,
            made_by,
            max(marks, default=""),
            increments,
            entry.ledger,
            new,
        )
        plain["exports"] = export(staged["folder"], [*self.recipe.output.exports])
        finish(folder, plain, sides, findings, self.done, prompts_of(folder), self.recipe.card_language, at)
        return entry

    def entry(
        self,
        status: str,
        closed: Closed,
        version: str | None = None,
        why: str = "",
        gates: Sequence[dict[str, Any]] = (),
    ) -> Entry:
        head = self.dataset.head
        return Entry(
            seq=self.dataset.next_seq,
            kind=status,
            parent=head.seq if head else None,
            base=version or self.dataset.base,
            version=version,
            teacher=kind(self.recipe),
            sources=self.taken.sources(),
            ledger=closed.ledger.counts,
            made=closed.ledger.made,
            why=why,
            gates=list(gates),
        )

    def merged(self, closed: Closed) -> dict[str, list[str]]:
        """Log ids to add to published rows: whatever merged into them, now or since they were published."""
        into: dict[str, list[str]] = defaultdict(list)
        for ledger in (self.dataset.ledger(), closed.tables["ledger"]):
            for row in ledger.filter(pc.field("state") == "merged").to_pylist():
                into[row["into"]].append(row["log_id"])
        return into

    def report(self, status: str, closed: Closed | None = None, findings: Sequence[dict[str, Any]] = ()) -> Report:
        """What the run came to so far."""
        seen, base = self.taken.read.seen, self.dataset.base
        splits = read_manifest(self.dataset.versions / base)["splits"] if base else {}
        return Report(
            status,
            dataset=self.recipe.output.name,
            rows_read=sum(p.read for p in self.taken.pulled),
            rows_total=sum(splits.values()),
            ledger=closed.ledger.counts if closed else {"seen": seen} if seen else {},
            made=closed.ledger.made if closed else {},
            teacher=teacher(self.purse.spent, self.purse.unpriced),
            stages=[t.plain() for t in self.done],
            outside=sum(p.outside for p in self.taken.pulled),
            splits=splits,
            gates=[f for f in findings if f["passed"] is False],
            findings=list(findings),
        )
