"""A command of the recipe, held: it ends as its parent does, with all that it started.

    python -m flows.holding ARGUMENT...

Its parent lets go of it by closing a pipe (`flows/tied.py`), or by dying. Then the command is asked to end, and ended
where it does not. What a command leaves running that ended by itself is its own affair.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from flows.tied import on_parents_end

OWN_PATH = "FLYWHEEL_PYTHONPATH"  # the PYTHONPATH of whoever runs the flow: ours is no business of the command
GRACE = 10  # seconds between being asked to end and being ended
LOOK = 0.05


def hold(command: list[str]) -> int:
    """Run it to its end, or to the parent's; gives its exit code."""
    own = os.environ.pop(OWN_PATH, "")
    known = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | ({"PYTHONPATH": own} if own else {})
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=known, start_new_session=True)
    except OSError as fault:
        print(f"{command[0]} cannot be started: {fault.strerror}", file=sys.stderr)
        return 127
    alone = threading.Event()
    on_parents_end(alone.set)
    while child.poll() is None and not alone.wait(LOOK):
        pass
    if alone.is_set():
        end(child)
    return child.wait()


def end(child: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + GRACE
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
        while child.poll() is None and time.monotonic() < until:
            time.sleep(LOOK)
        os.killpg(child.pid, signal.SIGKILL)


if __name__ == "__main__":
    code = hold(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code if code >= 0 else 128 - code)  # a thread still waits for the parent, and would hold up sys.exit
