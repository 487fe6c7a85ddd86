"""One run at a time holds a dataset; the lock goes with the process, however it ends."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout


def lock_of(folder: Path) -> FileLock:
    return FileLock(folder / ".lock")


def busy(folder: Path) -> bool:
    """Whether another run holds the dataset right now."""
    if not folder.is_dir():
        return False
    try:
        with lock_of(folder).acquire(timeout=0):
            return False
    except Timeout:
        return True
