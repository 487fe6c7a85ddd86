"""Is the machine fit: Python, the disk that the lake is on, the dataset's lock, the clock."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from flows.doctor.checked import Checked, ok, problem, warning
from tasks.history.dataset import Dataset
from tasks.history.lock import busy
from tasks.recipe import Recipe

OLDEST = (3, 11)
SCARCE, SCANT = 100 * 2**20, 2 * 2**30


def machine(recipe: Recipe) -> Iterator[Checked]:
    yield python()
    folder = recipe.dataset
    yield space(folder)
    yield writable(folder)
    yield lock(folder)
    yield clock(Dataset(folder))


def python() -> Checked:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST:
        return problem("python", f"Python {found}", "use Python 3.11 or later")
    return ok("python", f"Python {found}")


def standing(folder: Path) -> Path:
    """The folder, or the nearest one above it that there is."""
    return next(p for p in (folder, *folder.parents) if p.is_dir())


def space(folder: Path) -> Checked:
    at = standing(folder)
    free = shutil.disk_usage(at).free
    said = f"{free / 2**30:.1f} GiB free at {at}"
    if free < SCARCE:
        return problem("disk", said, "free some space, or name another lake in output.dir")
    return warning("disk", said, "this is little: a run keeps every answer") if free < SCANT else ok("disk", said)


def writable(folder: Path) -> Checked:
    """A version is put in place by a rename, so all of the dataset must be on one file system."""
    at = standing(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=at) as made:
            (Path(made) / "one").mkdir()
            (Path(made) / "one").rename(Path(made) / "other")
    except OSError as fault:
        what = f"cannot write in {at}: {os.strerror(fault.errno or 0)}"
        return problem("lake", what, "give yourself the right to write there, or name another lake in output.dir")
    parts = [p for p in (folder, *(folder / n for n in ("versions", "increments", "work"))) if p.is_dir()]
    if len({p.stat().st_dev for p in parts}) > 1:
        what = f"the folders of {folder} are on different file systems"
        return problem("lake", what, "put them on one: a version is renamed into place")
    return ok("lake", f"can write and rename in {at}")


def lock(folder: Path) -> Checked:
    if (folder / ".lock").exists() and os.access(folder, os.W_OK) and busy(folder):
        return warning("lock", f"another run holds {folder}", "wait for it, or name another output.name")
    return ok("lock", "no run holds the dataset")


def clock(dataset: Dataset) -> Checked:
    """A clock that goes wrong dates the runs and the calls; logs from the future betray it."""
    now = datetime.now(UTC)
    marks = [datetime.fromisoformat(s["watermark"]) for e in dataset.entries for s in e.sources if s.get("watermark")]
    if marks and max(marks) > now:
        said = f"it is {now:%Y-%m-%d %H:%M} UTC, but log rows of {max(marks):%Y-%m-%d %H:%M} were read"
        return warning("clock", said, "set this machine's clock, or look into the time of the logs")
    return ok("clock", f"{now:%Y-%m-%d %H:%M} UTC")
