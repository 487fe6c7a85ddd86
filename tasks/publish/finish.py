"""Finish a staged version: manifest, card, gate report, funnel, difference to the parent, the prompts that made it, and
what loaders look for.

The manifest comes last and names every other file with its sha256.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version as installed
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.publish.card import SAMPLED, card, sample
from tasks.publish.compare import compare
from tasks.publish.consumers import dataset_info
from tasks.publish.croissant import croissant
from tasks.publish.version import CHAT, SCHEMA_VERSION, SIDES, carry_prompts, content_hash
from tasks.recipe import Recipe
from tasks.shard import sha256, write_json, write_text
from tasks.tally import Tally

TOLD = ("language", "task_type", "domain", "teacher", "licence")  # what manifest and card count
TOOLS = ("pyarrow", "datasketch", "great-expectations", "openai", "prefect")


def manifest(
    recipe: Recipe,
    number: str,
    parent: str | None,
    files: list[dict[str, Any]],
    sides: Mapping[str, pa.Table],
    rules: Mapping[str, str],
    as_of: str,
    increments: list[dict[str, Any]],
    ledger: Mapping[str, int],
    new: int,
) -> dict[str, Any]:
    """What a version is, but for its gates. `as_of` is the time of the last log row that was read."""
    everything = pa.concat_tables(sides.values())
    return {
        "name": recipe.output.name,
        "version": number,
        "parent_version": parent,
        "as_of": as_of,
        "content_hash": content_hash(files),
        "schema": SCHEMA_VERSION,
        "rules": dict(rules),
        "license": recipe.licence,
        "seed": recipe.seed,
        "languages": sorted(set(everything.column("language").to_pylist())),
        "teachers": sorted(set(everything.column("teacher").to_pylist())),
        "splits": {side: sides[side].num_rows for side in SIDES},
        "files": files,
        "increments": increments,
        "counts": {"new": new, "total": everything.num_rows, "ledger": dict(ledger)},
        "dedup": recipe.dedup.model_dump(),
        "tools": {t: installed(t) for t in TOOLS},
    }


def finish(
    folder: Path,
    plain: dict[str, Any],
    sides: Mapping[str, pa.Table],
    findings: list[dict[str, Any]],
    stages: Iterable[Tally],
    prompts: Iterable[str],
    language: str,
    parent: Path | None = None,
) -> None:
    """Write everything but the data and its exports, which `plain` names under `files` and `exports`. `sides` are its
    rows, of which the columns `TOLD` are looked at; `parent` is the folder of the version that this one goes on
    from."""
    used = carry_prompts(folder, prompts)
    whole: dict[str, Any] = {"exports": {}} | plain | {"prompts": used, "gates": findings}
    difference = compare(parent, folder).summary()
    write_json(findings, folder / "reports" / "gates.json")
    write_json([funnel(t) for t in stages], folder / "reports" / "funnel.json")
    write_json({"from": plain["parent_version"], "to": plain["version"]} | difference, folder / "reports" / "diff.json")
    write_json(croissant(whole), folder / "croissant.json")
    if info := dataset_info(whole["name"], whole["exports"]):
        write_json(info, folder / "dataset_info.json")
    write_text(card(whole, sides, findings, language, difference, sample(first_rows(folder))), folder / "README.md")
    write_json(whole | {"others": others(folder)}, folder / "manifest.json")


def first_rows(folder: Path) -> pa.Table:
    """What is said in the first rows of a version, of which its card shows one."""
    files = (f for side in SIDES for f in sorted(folder.glob(f"data/chat/{side}-*.parquet")))
    batches = (batch for f in files for batch in pq.ParquetFile(f).iter_batches(1, columns=["messages"]))
    return pa.Table.from_batches(islice(batches, SAMPLED), pa.schema([CHAT.field("messages")]))


def others(folder: Path) -> dict[str, str]:
    """Path -> sha256 of the files beside data, exports and prompts, which have their own place in the manifest."""
    there = [p for p in (*folder.glob("*"), *folder.glob("reports/*")) if p.is_file()]
    return {p.relative_to(folder).as_posix(): sha256(p) for p in sorted(there) if p.name != "manifest.json"}


def funnel(tally: Tally) -> dict[str, Any]:
    """A stage's ledger without what depends on the day: no paths, no calls."""
    same = ("stage", "seen", "made", "out", "dropped", "merged", "pending")
    return {k: getattr(tally, k) for k in same}
