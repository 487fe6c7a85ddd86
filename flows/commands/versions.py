"""`flywheel versions`, `show`, `diff`, `increments`, `rollback`: what was published, and what is in force."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq

from flows.commands.ending import ordered, state_line
from flows.commands.grid import counts, grid, printable
from flows.commands.looking import Seen, looking, version_of
from tasks.gate.finding import Finding
from tasks.history.dataset import Dataset, Entry, read_manifest
from tasks.history.retention import removed
from tasks.history.student import student_of
from tasks.publish.compare import compare

SHOWN = 10  # rows by id on a page; --json has them all
COLUMNS = ("language", "task_type", "domain", "teacher")


@click.command()
@looking
def versions(dataset: Dataset) -> Seen:
    """The versions of a dataset, oldest first: rows, new rows, parent, and which one is in force."""
    rows = [line_of(dataset, e) for e in dataset.entries if e.version]
    plain = {"versions": rows, "latest": dataset.latest, "in_force": dataset.base}
    if not rows:
        return Seen(plain, "nothing was published yet")
    cells = [[r["version"], *(shown(r[k]) for k in ("rows", "new", "parent", "as_of")), mark(r)] for r in rows]
    return Seen(plain, grid(("version", "rows", "new", "parent", "as of", ""), cells, right=(1, 2)))


def rolled_back(dataset: Dataset, entry: Entry) -> bool:
    """Whether the log has gone on from an earlier increment since."""
    return entry.kind != "rollback" and entry not in dataset.chain


def line_of(dataset: Dataset, entry: Entry) -> dict[str, Any]:
    """One version in numbers; `rows`, `new`, `parent` and `as_of` are null where its folder is gone."""
    version = str(entry.version)
    try:
        manifest = read_manifest(dataset.versions / version)
    except FileNotFoundError:
        manifest = {}
    count = manifest.get("counts", {})
    return {
        "version": version,
        "rows": count.get("total"),
        "new": count.get("new"),
        "parent": manifest.get("parent_version"),
        "as_of": manifest.get("as_of"),
        "increment": entry.seq,
        "there": bool(manifest),
        "removed_by": removed(dataset.folder).get(version),
        "latest": version == dataset.latest,
        "in_force": version == dataset.base,
        "rolled_back": rolled_back(dataset, entry),
    }


def mark(row: dict[str, Any]) -> str:
    said = ["LATEST"] * row["latest"] + ["in force"] * row["in_force"]
    gone = f"removed by {row['removed_by']}" if row["removed_by"] else "folder gone"
    return ", ".join(said + ["rolled back"] * (row["rolled_back"]) + [gone] * (not row["there"]))


def shown(value: Any) -> str:
    return "-" if value in (None, "") else str(value)


@click.command()
@click.argument("version", required=False)
@looking
def show(dataset: Dataset, version: str | None) -> Seen:
    """What is in a version (default: the one in force): splits, languages, task types, gates, ledger."""
    number = version_of(dataset, version)
    folder = dataset.versions / number
    manifest, kinds = read_manifest(folder), kinds_of(folder)
    said = [f"{dataset.folder.name} {number}" + (", in force" if number == dataset.base else ""), ""]
    facts = {
        "rows": f"{manifest['counts']['total']}, {manifest['counts']['new']} of them new",
        "parent": manifest["parent_version"] or "none",
        "as of": manifest["as_of"],
        "splits": counts(manifest["splits"]),
        "languages": counts(kinds["language"]),
        "task types": counts(kinds["task_type"]),
        "domains": counts(kinds["domain"]),
        "teachers": counts(kinds["teacher"]),
        "licence": manifest["license"],
        "data": f"{len(manifest['files'])} files, {sum(f['bytes'] for f in manifest['files'])} bytes",
        "content": manifest["content_hash"],
        "where": str(folder),
    }
    if student := student_of(dataset.folder, number):
        facts["student"] = printable(f"{student.model} at {student.base_url}")
    said += [f"  {name:<10}  {fact}" for name, fact in facts.items()]
    said += ["", "  gates"]
    said += [f"    {Finding.of(g).mark} {g['rule']} ({g['severity']}): {g['observed']}" for g in manifest["gates"]]
    said += ["", "  what became of the log rows of its run"]
    said += [f"    {n:>7} {state_line(state)}" for state, n in ordered(manifest["counts"]["ledger"])]
    plain = {"version": number, "counts": kinds, "manifest": manifest}
    return Seen(plain | {"student": student.model_dump() if student else None}, "\n".join(said))


def kinds_of(version: Path) -> dict[str, dict[str, int]]:
    """Column -> value -> rows, the most frequent first."""
    found: dict[str, Counter[str]] = {c: Counter() for c in COLUMNS}
    for file in sorted(version.glob("data/chat/*.parquet")):
        table = pq.read_table(file, columns=list(COLUMNS))
        for column in COLUMNS:
            found[column].update(table.column(column).to_pylist())
    return {c: dict(sorted(n.items(), key=lambda pair: (-pair[1], pair[0]))) for c, n in found.items()}


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@looking
def diff(dataset: Dataset, before: str, after: str) -> Seen:
    """What is different from version A to version B: rows added, removed, changed."""
    one, other = version_of(dataset, before), version_of(dataset, after)
    plain = compare(dataset.versions / one, dataset.versions / other).plain()
    said = [f"{dataset.folder.name} {one} -> {other}", ""]
    for what in ("added", "removed"):
        part = plain[what]
        said.append(f"  {part['rows']:>7} {what}")
        if part["rows"]:
            said += [f"          by task type  {counts(part['task_types'])}"]
            said += [f"          by language   {counts(part['languages'])}", f"          {listed(part['row_ids'])}"]
    said.append(f"  {len(plain['grown']):>7} grown (more log rows merged into them)")
    said += [f"          {listed([f'{i} +{len(ids)}' for i, ids in plain['grown'].items()])}"] * bool(plain["grown"])
    said.append(f"  {len(plain['changed']):>7} changed beside their text")
    said += [f"          {listed([f'{i} ({chr(44).join(c)})' for i, c in plain['changed'].items()])}"] * bool(
        plain["changed"]
    )
    said += [f"  {len(plain['reanswered']):>7} prompts answered anew"] * bool(plain["reanswered"])
    said.append(f"  {plain['same']:>7} the same")
    return Seen({"from": one, "to": other} | plain, "\n".join(said))


def listed(names: list[str]) -> str:
    more = f", and {len(names) - SHOWN} more (--json has all)" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


@click.command()
@looking
def increments(dataset: Dataset) -> Seen:
    """The increment log, oldest first: what each run read and what came of it."""
    cells = []
    for e in dataset.entries:
        came = [f"{n} {state}" for state, n in ordered(e.ledger)]
        said = [", ".join(came) or "-", e.why, "(rolled back)" * rolled_back(dataset, e)]
        after = "-" if e.parent is None else e.parent
        cells.append([e.seq, e.kind, after, shown(e.base), " ".join(filter(None, said))])
    plain = [e.plain() | {"rolled_back": rolled_back(dataset, e)} for e in dataset.entries]
    page = grid(("run", "came to", "after", "in force", "log rows"), cells, right=(0, 2))
    return Seen({"increments": plain}, page)


@click.command()
@click.argument("version")
@looking
def rollback(dataset: Dataset, version: str) -> Seen:
    """Put an older version in force again; the next refresh goes on from there. Nothing is deleted."""
    with dataset.held():
        version_of(dataset, version)
        before, head = dataset.base, dataset.head
        plain = {"version": version, "before": before}
        if head and head.version == version:
            return Seen(plain | {"increment": None}, f"{version} is in force already, and nothing was read since")
        entry = dataset.rollback(version)
    page = (
        f"{dataset.folder.name}: {version} is in force, it was {before}\n"
        f"The next refresh goes on from there: it reads what came after again, and pays for no answer twice.\n"
        f"To take it back: flywheel rollback {before}"
    )
    return Seen(plain | {"increment": entry.seq}, page)
