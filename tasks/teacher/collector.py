"""Python's cyclic collector while thousands of calls are under way.

Its pace is made for small programs: beside everything that a flow has loaded, and with the calls that come and go, it
walks the whole heap every few hundred of them, a fifth of all CPU time. Next to nothing that a call leaves is cyclic.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

PACE = 200_000, 20, 50  # the first: objects more than were freed, some ten megabytes


@contextmanager
def calm() -> Iterator[None]:
    """What is there already is not walked again for as long as the block takes, and what comes is walked seldom."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*PACE)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
