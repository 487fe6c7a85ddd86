"""Processes that end with the one that started them, however that one ends.

Each holds the read end of a pipe whose other end only its parent has, and those that the parent lets keep it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tasks.recipe import PROJECT


@contextmanager
def tied(
    module: str,
    arguments: Sequence[str],
    log: Path,
    needs: subprocess.Popen[bytes] | None = None,
    env: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m module arguments` for as long as the block takes, or this process lives; `log` has what it says.

    What it `needs` stays until it has ended. Ctrl-C is for the parent, which then ends the child.
    """
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            env={**os.environ, "PYTHONPATH": str(PROJECT), **env},
            pass_fds=[needs.stdin.fileno()] if needs and needs.stdin else [],
            start_new_session=True,
        )
    try:
        yield child
    finally:
        child.communicate()  # closes the pipe, and waits


def on_parents_end(end: Callable[[], None]) -> None:
    """In the child: call `end` when the pipe closes."""

    def wait() -> None:
        sys.stdin.buffer.read()
        end()

    threading.Thread(target=wait, daemon=True).start()
