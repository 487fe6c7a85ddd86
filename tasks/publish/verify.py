"""Verify a dataset as it stands on disk: is it what its manifest and its increment log say?

Everything is computed again from the files: checksums, Arrow schemas, ids from the messages, near-duplicates
across the split, the state of each log row. A finding is one sentence; the same fault of many rows is one finding
that counts them and names the first.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.history.asked import Asked
from tasks.history.dataset import ENTRY, Dataset, Entry, digest, read_manifest
from tasks.history.past import across
from tasks.history.retention import removed
from tasks.publish.version import CONFIGS, PREFERENCE, SCHEMA_VERSION, SIDES, content_hash, pairs, preferences, record
from tasks.record import MADE, Record
from tasks.shard import sha256

LEAK = 0.7
TOPS = ("data", "exports")  # folders that hold what the manifest names, and nothing else
UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError)  # what a file that was tampered with gives


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, in one sentence, and which check found it."""

    check: str
    what: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A published row that could be read: its id, its side and the log rows that it says it stands on."""

    row_id: str
    side: str
    roots: tuple[str, ...]


@dataclass(slots=True)
class Verified:
    """What was looked at, and what was found."""

    version: str | None = None
    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    rows: int = 0
    increments: int = 0
    current: bool = True  # whether the version was written in the schema of today

    def find(self, check: str, what: str) -> None:
        self.findings.append(Finding(check, what))

    def many(self, check: str, what: str, names: list[str]) -> None:
        """One finding for all rows with the same fault; none where there are none."""
        if names:
            self.find(check, f"{what}: {len(names)} {'row' if len(names) == 1 else 'rows'}, the first is {names[0]}")


def verify(dataset: Dataset, version: str | None = None) -> Verified:
    """All checks on the increment log and a version, the one in force unless told. Raises Unfit where there is no such
    version, or it was removed to make room."""
    seen = Verified(version)
    if not readable_log(dataset, seen):
        return seen
    increments(dataset, seen)
    latest(dataset, seen)
    seen.version = version or dataset.base
    if seen.version:
        if seen.version in removed(dataset.folder):
            dataset.standing(seen.version)
        of_version(dataset, dataset.publishing(seen.version), seen)
    return seen


def readable_log(dataset: Dataset, seen: Verified) -> bool:
    """Whether every entry can be read: without them nothing else can be said."""
    for path in sorted(dataset.increments.glob("[0-9]*")):
        try:
            entry = Entry(**json.loads((path / ENTRY).read_text("utf-8")))
            if f"{entry.seq:05d}" != path.name:
                seen.find("increments", f"increments/{path.name}/{ENTRY} says that it is increment {entry.seq}")
        except UNREADABLE as fault:
            seen.find("increments", f"increments/{path.name}/{ENTRY} cannot be read: {one_line(fault)}")
    return not seen.findings


def increments(dataset: Dataset, seen: Verified) -> None:
    """The files of each increment have the bytes that its entry names, its parent is there, its ledger closes."""
    there = {e.seq for e in dataset.entries}
    for entry in dataset.entries:
        seen.increments += 1
        at = f"increments/{entry.seq:05d}"
        if entry.parent is not None and entry.parent not in there:
            seen.find("increments", f"{at} goes on from increment {entry.parent}, which is not there")
        for name, kept in sorted(entry.files.items()):
            seen.files += 1
            path = dataset.file(entry, name)
            if fault := bytes_fault(path, kept):
                seen.find("increments", f"{at}/{path.name} {fault}")
            elif name == "ledger":
                closes(entry, path, at, seen)


def closes(entry: Entry, path: Path, at: str, seen: Verified) -> None:
    table = pq.read_table(path, columns=["log_id", "state"])
    own = Counter(zip(table.column("log_id").to_pylist(), table.column("state").to_pylist(), strict=True))
    counts = {kind: Counter(s for i, s in own if i.startswith(MADE) is kind) for kind in (True, False)}
    if counts[False] != {s: n for s, n in entry.ledger.items() if s != "seen"} or counts[True] != entry.made:
        seen.find("ledger", f"{at}/{path.name} has other states than its entry counts")


def latest(dataset: Dataset, seen: Verified) -> None:
    if dataset.latest != dataset.base:
        said, due = dataset.latest or "nothing", dataset.base or "nothing"
        seen.find("latest", f"LATEST says {said}, but the increment log has {due} in force; the next run mends it")


def of_version(dataset: Dataset, entry: Entry, seen: Verified) -> None:
    """The checks on one version's folder."""
    folder = dataset.versions / str(entry.version)
    try:
        manifest = read_manifest(folder)
        files = [(f["config"], f["split"], f["path"]) for f in manifest["files"]]
        seen.current = manifest["schema"] == SCHEMA_VERSION
        data_files(folder, manifest, seen)
        lineage_of(dataset, entry, manifest, seen)
    except UNREADABLE as fault:
        seen.find("manifest", f"versions/{entry.version}/manifest.json cannot be read: {one_line(fault)}")
        return
    chat = [(side, path) for config, side, path in files if config == "chat"]
    kept = rows(folder, chat, seen)
    preferred(folder, files, seen)
    counts = {side: sum(k.side == side for k in kept) for side in SIDES}
    if counts != manifest["splits"]:
        seen.find("rows", f"the manifest counts {said(manifest['splits'])}, the files hold {said(counts)}")
    accounted(dataset, entry, kept, seen)


def data_files(folder: Path, manifest: dict[str, Any], seen: Verified) -> None:
    """Files, their bytes, rows and schema against the manifest; nothing beside them."""
    named = {f["path"]: f for f in manifest["files"]}
    for path, kept in named.items():
        seen.files += 1
        if fault := bytes_fault(folder / path, kept):
            seen.find("files", f"{path} {fault}")
        if (schema := schema_of(folder / path)) and not schema.equals(CONFIGS[kept["config"]]):
            seen.find("schema", f"{path} has another Arrow schema than {kept['config']} rows have")
    exports = exported(folder, manifest, seen)
    there = {p.relative_to(folder).as_posix() for top in TOPS for p in folder.glob(f"{top}/**/*") if p.is_file()}
    seen.findings += [Finding("files", f"{p} is not in the manifest") for p in sorted(there - {*named, *exports})]
    if manifest["content_hash"] != content_hash(manifest["files"]):
        seen.find("manifest", "the manifest's content_hash is not that of the files it names")
    prompts = {f"prompts/{name}": kept for name, kept in manifest["prompts"].items()}
    for name, kept in (prompts | manifest.get("others", {})).items():
        seen.files += 1
        if fault := bytes_fault(folder / name, {"sha256": kept}):
            seen.find("files", f"{name} {fault}")


def exported(folder: Path, manifest: dict[str, Any], seen: Verified) -> list[str]:
    """The files of the exports against the manifest; gives their paths."""
    files = [f for made in manifest.get("exports", {}).values() for f in made["files"]]
    for kept in files:
        seen.files += 1
        if fault := bytes_fault(folder / kept["path"], kept):
            seen.find("files", f"{kept['path']} {fault}")
    return [f["path"] for f in files]


def lineage_of(dataset: Dataset, entry: Entry, manifest: dict[str, Any], seen: Verified) -> None:
    """The increments that a version says it stands on are those of the log, byte for byte."""
    if manifest["version"] != entry.version:
        seen.find("manifest", f"versions/{entry.version}/manifest.json says that it is version {manifest['version']}")
    chain = {e.seq: e for e in dataset.chain_to(entry)}
    if (told := [m["seq"] for m in manifest["increments"]]) != [*chain]:
        seen.find("manifest", f"version {entry.version} names the increments {told}, the log has {[*chain]}")
    for mark in manifest["increments"]:
        if mark["seq"] in chain and mark.get("sha256", "") not in ("", digest(chain[mark["seq"]], dataset)):
            seen.find("increments", f"increments/{mark['seq']:05d}/{ENTRY} was changed since it was written")


def rows(folder: Path, chat: list[tuple[str, str]], seen: Verified) -> list[Kept]:
    """Ids computed again, no row twice, both configs the same rows, nothing of train near to what is held out."""
    kept: list[Kept] = []
    sides: dict[str, str] = {}
    held: list[tuple[Asked, str, str]] = []
    bad: dict[str, list[str]] = defaultdict(list)
    for side, path in sorted(chat, key=lambda c: (c[0] == "train", c)):  # what is held out comes first
        asked: list[tuple[Asked, str, str]] = []
        for plain, whole in published(folder, path, bad, seen):
            seen.rows += 1
            row_id = plain["row_id"]
            if whole.row_id != row_id:
                bad["row_id is not the hash of the row's messages"].append(row_id)
            if whole.prompt_id != plain["prompt_id"]:
                bad["prompt_id is not the hash of what is asked"].append(row_id)
            if row_id in sides:
                both = " and ".join(sorted({sides[row_id], side}))
                bad[f"a row is on two sides, {both}" if sides[row_id] != side else "a row is there twice"].append(
                    row_id
                )
            sides.setdefault(row_id, side)
            kept.append(Kept(row_id, side, whole.roots))
            asked.append((Asked.of(whole), row_id, side))
        if side != "train":
            held += asked
            continue
        for like, j, i in across([a for a, _, _ in held], [a for a, _, _ in asked], LEAK):
            name = f"{asked[i][1]} ({like:.2f} like {held[j][1]})"
            bad[f"a prompt of train is a near-duplicate of one of {held[j][2]}"].append(name)
    for what, names in sorted(bad.items()):
        seen.many("split" if what.startswith("a ") else "rows", what, names)
    return kept


def preferred(folder: Path, files: list[tuple[str, str, str]], seen: Verified) -> None:
    """The preference rows of each side are what its chat rows make of their rejected answers."""
    if not seen.current:
        return
    for side in SIDES:
        there = {c: [folder / path for config, s, path in sorted(files) if (config, s) == (c, side)] for c in CONFIGS}
        try:
            made = [preferences(pq.read_table(path)) for path in there["chat"]]
            found = [pq.read_table(path) for path in there["preference"]]
        except UNREADABLE:
            continue  # their bytes say so already
        nothing = PREFERENCE.empty_table()
        if not pa.concat_tables([nothing, *made]).equals(pa.concat_tables([nothing, *found])):
            seen.find("rows", f"the preference rows of {side} are not those of its chat rows")


def published(
    folder: Path, path: str, bad: dict[str, list[str]], seen: Verified
) -> Iterator[tuple[dict[str, Any], Record]]:
    """The rows of one chat file that can be read, as they stand and as records."""
    try:
        table = pq.read_table(folder / path)
        other = pq.read_table(folder / path.replace("data/chat/", "data/prompt_completion/"))
        if seen.current and not pairs(table).equals(other):
            seen.find("rows", f"{path} and its file in prompt_completion are not the same rows")
        plain = table.to_pylist()
    except UNREADABLE as fault:
        seen.find("rows", f"the rows of {path} cannot be read: {one_line(fault)}")
        return
    for row in plain:
        try:
            whole = record(row)
        except UNREADABLE:
            bad["a field that every row has is missing"].append(str(row["row_id"]))
            continue
        yield row, whole


def accounted(dataset: Dataset, entry: Entry, kept: list[Kept], seen: Verified) -> None:
    """Each published row's roots stand in the ledger as its own, and its side is the one it was published on."""
    try:
        states = {r["log_id"]: (r["state"], r["into"]) for r in dataset.ledger(entry).to_pylist()}
        first = {row: side for e in dataset.chain_to(entry) for row, side in first_sides(dataset, e)}
    except UNREADABLE as fault:
        seen.find("ledger", f"the ledgers of version {entry.version} cannot be read: {one_line(fault)}")
        return
    lost, strange = [], []
    for row in kept:
        for root in row.roots:
            if root not in states:
                lost.append(f"{row.row_id} ({root})")
            elif states[root] not in (("published", row.row_id), ("merged", row.row_id)):
                strange.append(f"{row.row_id} ({root} is {states[root][0]})")
    seen.many("ledger", "a published row stands on a log row that no ledger has", lost)
    seen.many("ledger", "a published row stands on a log row that the ledger gives another state", strange)
    moved = [f"{k.row_id} (from {first[k.row_id]} to {k.side})" for k in kept if first.get(k.row_id, k.side) != k.side]
    seen.many("split", "a row is not on the side where it was first published", moved)


def first_sides(dataset: Dataset, entry: Entry) -> list[tuple[str, str]]:
    """row_id and side of what one increment published."""
    table = pq.read_table(dataset.file(entry, "asked"), columns=["row_id", "side"])
    ids, sides = table.column("row_id").to_pylist(), table.column("side").to_pylist()
    return [(row, side) for row, side in zip(ids, sides, strict=True) if side]


def bytes_fault(path: Path, kept: dict[str, Any]) -> str:
    """What is wrong with a file, as the end of a sentence; empty when it is whole."""
    if not path.is_file():
        return "is missing"
    if (size := kept.get("bytes")) is not None and path.stat().st_size != size:
        return f"has {path.stat().st_size} bytes, expected {size}"
    if sha256(path) != kept["sha256"]:
        return "has other bytes than when it was written (sha256)"
    if "rows" in kept and (count := rows_in(path)) != kept["rows"]:
        return f"has {count} rows, expected {kept['rows']}"
    return ""


def rows_in(path: Path) -> int:
    """Rows of a Parquet file, or examples of an export: one a line, but for the brackets of an array."""
    if path.suffix == ".parquet":
        return pq.read_metadata(path).num_rows
    with path.open("rb") as lines:
        return sum(1 for _ in lines) - (2 if path.suffix == ".json" else 0)


def schema_of(path: Path) -> pa.Schema | None:
    """None where the file cannot be read: its bytes say so already."""
    try:
        return pq.read_schema(path)
    except UNREADABLE:
        return None


def said(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {side}" for side, n in sorted(counts.items()))


def one_line(fault: BaseException) -> str:
    return " ".join(str(fault).split())[:200] or type(fault).__name__
