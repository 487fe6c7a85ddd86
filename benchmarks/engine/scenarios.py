"""What every client goes through. A scenario that it does not live through is recorded as such, with the reason."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.engine.runs import MEAN, Client, Failed, serving

GROWN = 10
KILLS = 5  # one says little: there are answers between two writes of a client, or there are none
SHARE = 0.05
Result = dict[str, Any]


@dataclass(frozen=True)
class Profile:
    """How many calls: for those who keep up, for slow clients, and for those that are killed or meet faults.
    `limit` is how many seconds one run may take."""

    fast: int
    slow: int
    troubled: int
    limit: float


FULL = Profile(10_000, 2_000, 2_000, 120)
SMALL = Profile(1_000, 500, 500, 60)


def played(client: Client, profile: Profile, say: Callable[[str, Result], None]) -> dict[str, Result]:
    """The results by scenario; each is told as it comes."""
    calls = profile.slow if client.peer.slow else profile.fast
    results: dict[str, Result] = {}

    def attempt(name: str, run: Callable[[], Result]) -> None:
        load = os.getloadavg()[0]
        try:
            results[name] = run() | {"load": load}
        except Failed as why:
            results[name] = {"failed": str(why), "load": load}
        say(name, results[name])

    with tempfile.TemporaryDirectory(prefix="flywheel-engine-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        with serving() as server:
            attempt("cold_256", lambda: cold(client.run(server, calls, 256, folder / "256"), 256))
            if client.peer.keeps and "failed" not in results["cold_256"]:
                attempt("again", lambda: client.run(server, calls, 256, folder / "256"))
                attempt("grown", lambda: client.run(server, calls + GROWN, 256, folder / "256"))
        with serving() as server:
            attempt("cold_64", lambda: cold(client.run(server, calls, 64, folder / "64"), 64))
        if client.peer.keeps:
            attempt("killed", lambda: killed(client, profile.troubled, folder / "killed"))
        with serving(faults=SHARE) as server:
            attempt("faults", lambda: cold(client.run(server, profile.troubled, 64, folder / "faults"), 64))
    return results


def cold(result: Result, in_flight: int) -> Result:
    """With how many times the ideal it took: rows x mean latency / in flight."""
    ideal = result["rows"] * MEAN / in_flight
    return result | {"over_ideal": result["wall"] / ideal, "cpu_ms": result["cpu"] / result["rows"] * 1000}


def killed(client: Client, calls: int, cache: Path) -> Result:
    """The one of `KILLS` runs that lost the most rows, and how many answers were paid twice in each of them."""
    runs = [killed_once(client, calls, cache.with_name(f"{cache.name}-{nth}")) for nth in range(KILLS)]
    paid_twice = [run["paid_twice"] for run in runs]
    return max(runs, key=lambda run: run["lost"] + run["empty"]) | {"paid_twice": paid_twice}


def killed_once(client: Client, calls: int, cache: Path) -> Result:
    """Killed at half, started again: what was paid twice, by the server's count."""
    with serving() as server:
        at = client.killed(server, calls, 64, cache)
        return client.run(server, calls, 64, cache) | {
            "killed_at": at,
            "paid_twice": server.counted()["paid_twice"],
        }
