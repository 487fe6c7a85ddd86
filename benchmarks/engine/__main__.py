"""The engine beside its peers, against one and the same server (`make bench-engine`).

    python -m benchmarks.engine [--small] [client ...]

Each client runs in a process and an environment of its own, the server in another process. Writes
`benchmarks/results/engine.md`, `.json` and `.png`, or with `--small` or a choice of clients prints the table alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from datetime import UTC, datetime
from typing import Any

from benchmarks.engine import report
from benchmarks.engine.peers import PEERS, NotInstalled, Peer
from benchmarks.engine.runs import Client
from benchmarks.engine.scenarios import FULL, SMALL, Profile, Result, played
from benchmarks.engine.speed import speed


def measured(peer: Peer, profile: Profile) -> dict[str, Any]:
    """A client's row: its version and results, or why there are none."""
    row = {"name": peer.name, "title": peer.title, "package": peer.package, "keeps": peer.keeps}
    try:
        python = peer.python()
    except NotInstalled as why:
        say(peer, "not installed", {"failed": str(why)})
        return row | {"version": "", "results": {}, "failed": f"not installed: {why}"}
    results = played(Client(peer, python, profile.limit), profile, lambda name, result: say(peer, name, result))
    return row | {"version": peer.version(python), "results": results}


def say(peer: Peer, scenario: str, result: Result) -> None:
    told = {k: round(v, 2) if isinstance(v, float) else v for k, v in result.items()}
    print(f"{peer.name:<15}{scenario:<10}" + "  ".join(f"{k} {v}" for k, v in told.items()), flush=True)


def machine() -> dict[str, Any]:
    """Where it runs; nothing that names the machine."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a tenth of the calls, to see whether everything runs")
    names = [p.name for p in PEERS]
    parser.add_argument("clients", nargs="*", choices=[*names, []], metavar="client", help=", ".join(names))
    given = parser.parse_args()
    began, profile = time.monotonic(), SMALL if given.small else FULL
    told = machine() | {"server": {str(n): speed(n) for n in (64, 256)}}
    print(report.of_server(told), flush=True)
    told["clients"] = [measured(p, profile) for p in PEERS if p.name in (given.clients or names)]
    told["seconds"] = time.monotonic() - began
    print(f"\n{report.markdown(told)}")
    if not given.small and not given.clients:
        print(f"written to {report.written(told)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
