"""`flywheel gates`: what the gates found in the last run that came to them, or when a version was published."""

from __future__ import annotations

import click

from flows.commands.grid import grid, printable
from flows.commands.looking import Seen, looking, version_of
from tasks.gate.finding import Finding
from tasks.history.dataset import Dataset, Entry, Unfit, read_manifest


@click.command()
@click.argument("version", required=False)
@looking
def gates(dataset: Dataset, version: str | None) -> Seen:
    """What the gates found in the last run, published or blocked, or for a version; with the rows that break a rule."""
    entry = dataset.publishing(version_of(dataset, version)) if version else last(dataset)
    found = [Finding.of(g) for g in findings(dataset, entry)]
    later = [e for e in dataset.entries if e.seq > entry.seq] if not version else []
    plain = {"increment": entry.seq, "status": entry.kind, "version": entry.version, "why": entry.why}
    plain |= {"gates": [f.plain() for f in found], "later": [{"increment": e.seq, "status": e.kind} for e in later]}
    head = f"{dataset.folder.name}, run {entry.seq}: {entry.kind} {entry.version or ''}".rstrip()
    said = [head, "", *lines(found)]
    said += [f"Run {e.seq} ended as {e.kind}, before any gate" for e in later]
    if entry.kind == "blocked":
        said += ["", "Nothing was published and no work is lost: mend the recipe or the suite and run again."]
    return Seen(plain, "\n".join(said))


def last(dataset: Dataset) -> Entry:
    """The last run that came to its gates. Raises Unfit where none has."""
    for entry in reversed(dataset.entries):
        if entry.gates or entry.version:
            return entry
    raise Unfit(f"no run in {dataset.folder} has come to its gates yet")


def findings(dataset: Dataset, entry: Entry) -> list[dict[str, object]]:
    """As the run's increment has them; versions from before it kept them say it in their manifest."""
    if entry.gates or not entry.version:
        return entry.gates
    return read_manifest(dataset.versions / version_of(dataset, entry.version))["gates"]


def lines(found: list[Finding]) -> list[str]:
    """What does not hold first, with what was expected and its rows below it; then the rest, as the suite has them."""
    order = sorted(found, key=lambda f: (f.passed is not False, f.severity))
    cells = [[f.mark, f.rule, f.severity, f.observed] for f in order]
    head, *rest = grid(("", "rule", "severity", "observed"), [[*map(printable, c)] for c in cells]).split("\n")
    shown = [head]
    for finding, line in zip(order, rest, strict=True):
        shown.append(line)
        if finding.passed is False:
            shown.append(f"   expected {printable(finding.expected)}")
        shown += [f"   rows {', '.join(finding.rows)}"] * bool(finding.rows)
    return shown
