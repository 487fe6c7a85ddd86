"""Which versions stay on disk: all, or the newest few and those that something still stands on.

Increments stay, so nothing that was asked is forgotten; only a version's folder goes. What is to go is written down
first, and a folder leaves its name before it is taken apart, so that a run killed at any moment leaves no half
version: the next run finishes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.shard import write_json

if TYPE_CHECKING:
    from tasks.history.dataset import Entry

REMOVED = "removed.json"
LEAVING = ".leaving-"


def surplus(entries: Sequence[Entry], standing: Collection[str], keep: int, pinned: Collection[str]) -> list[str]:
    """The standing versions beyond the `keep` newest; never the one in force, its parent, one that was rolled back to,
    or one that is pinned."""
    by_seq = {e.seq: e for e in entries}
    base = entries[-1].base if entries else None
    safe = {base, *pinned, *(e.base for e in entries if e.kind == "rollback")}
    safe |= {by_seq[e.parent].base for e in entries if e.version == base and e.parent in by_seq}
    published = [e.version for e in entries if e.version and e.version in standing]
    return [v for v in published[: max(0, len(published) - keep)] if v not in safe]


def removed(folder: Path) -> dict[str, str]:
    """Version -> the version whose publishing removed it, of a dataset's folder."""
    try:
        return json.loads((folder / REMOVED).read_text("utf-8"))
    except FileNotFoundError:
        return {}


def remove(folder: Path, versions: Sequence[str], by: str) -> None:
    """Remove versions, because `by` was published."""
    if versions:
        write_json(removed(folder) | dict.fromkeys(versions, by), folder / REMOVED)
        sweep(folder)


def sweep(folder: Path) -> None:
    """Take away what was written down as removed and still stands."""
    there = folder / "versions"
    for version in removed(folder):
        if (there / version).is_dir():
            (there / version).rename(there / f"{LEAVING}{version}")
    for leaving in there.glob(f"{LEAVING}*"):
        shutil.rmtree(leaving)
