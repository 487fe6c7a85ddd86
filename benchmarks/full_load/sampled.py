"""`flywheel` with a clock in it: every few milliseconds of CPU time, whose code is running?

A sample belongs to the innermost frame that is ours or Prefect's: what Prefect has httpx do is Prefect's, what our step
does below a Prefect task is ours; what neither of them called is the loop and its sockets. Only the main thread, which
runs the loop, can be looked into; what other threads took is told by the system, by thread.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

EVERY = 0.004
OWNERS = {"/flows/commands/": "loop", "/flows/": "flows", "/tasks/": "tasks", "/site-packages/prefect/": "prefect"}
TICKS = os.sysconf("SC_CLK_TCK")
WHERE = "FLYWHEEL_SAMPLES"  # the file that the samples are written to


def owner(frame: FrameType | None) -> str:
    """Whose code a stack is in."""
    while frame:
        file = frame.f_code.co_filename
        if found := next((who for mark, who in OWNERS.items() if mark in file), None):
            return found
        frame = frame.f_back
    return "loop"


def threads() -> dict[str, float]:
    """Seconds of CPU by thread."""
    found: dict[str, float] = {}
    for thread in threading.enumerate():
        stat = Path(f"/proc/self/task/{thread.native_id}/stat")
        if stat.exists():
            fields = stat.read_text().rpartition(") ")[2].split()
            found[thread.name] = (int(fields[11]) + int(fields[12])) / TICKS
    return found


def main() -> int:
    from flows.commands import main as flywheel

    samples: list[tuple[float, str]] = []
    signal.signal(signal.SIGPROF, lambda _, frame: samples.append((time.monotonic(), owner(frame))))
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        return flywheel() or 0
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        plain = {"samples": samples, "threads": threads()}
        Path(os.environ[WHERE]).write_text(json.dumps(plain), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
