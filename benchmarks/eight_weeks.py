"""Eight weeks of real logs, refreshed week by week, in one go, and killed at random: `make weeks`.

Runs `flywheel refresh` as a user does, one process for each week, against the replay teacher on loopback,
and checks what must hold: every row ends in one state, no row changes side, a killed history is byte-equal
to an undisturbed one, and one go publishes what eight weeks do, but for the rows that the published-first
rule decides. Prints a table and exits 1 where something does not hold.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tasks.history.dataset import Dataset

PROJECT = Path(__file__).resolve().parent.parent
FLYWHEEL = [sys.executable, "-c", "from flows.commands import main; main()"]
SHARED = PROJECT.parent / "shared" / "data"
FIRST, WEEKS = date(2026, 9, 14), 8
Run = Callable[[Sequence[str]], subprocess.CompletedProcess[str]]  # `flywheel` with these arguments, to its end


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="Take every n-th log row only.")
    parser.add_argument("--kills", type=int, default=10, help="How often the killed history is killed.")
    parser.add_argument("--seed", type=int, default=0, help="When it is killed.")
    parser.add_argument("--keep", type=Path, help="Keep the lakes in this folder.")
    given = parser.parse_args()
    if not SHARED.is_dir():
        print(f"the logs are not here: {SHARED}", file=sys.stderr)
        return 2
    folder = given.keep or Path(tempfile.mkdtemp(prefix="weeks-"))
    folder.mkdir(parents=True, exist_ok=True)
    faults = broken(folder, given.every, given.kills, random.Random(given.seed))
    print("\n".join(faults) or "all of it holds")
    if not given.keep:
        shutil.rmtree(folder)
    return 1 if faults else 0


def afresh(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*FLYWHEEL, *arguments], capture_output=True, text=True, env=surroundings(), check=False)


def broken(folder: Path, every: int, kills: int, dice: random.Random, run: Run = afresh) -> list[str]:
    """What does not hold of three histories in this folder. Those that nobody kills are run by `run`."""
    logs, rows = sampled(folder / "logs.jsonl", every)
    with teacher() as url:
        weekly = history(folder / "weekly", logs, url, run=run)
        once = history(folder / "once", logs, url, weeks=(WEEKS,), run=run)
        killed = history(folder / "killed", logs, url, kills=kills, dice=dice)
    faults = [*accounted(weekly, rows), *accounted(once, rows), *sides(weekly)]
    return [*faults, *equal(weekly, killed), *same(weekly, once)]


def sampled(path: Path, every: int) -> tuple[Path, int]:
    with gzip.open(SHARED / "user_logs.jsonl.gz", "rt", encoding="utf-8") as lines:
        kept = [line for i, line in enumerate(lines) if i % every == 0]
    path.write_text("".join(kept), encoding="utf-8")
    return path, len(kept)


@contextmanager
def teacher() -> Iterator[str]:
    """The replay teacher in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.replay_teacher", str(SHARED / "teacher_answers.jsonl.gz")]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        yield server.stdout.readline().strip()
        server.terminate()


def history(
    lake: Path,
    logs: Path,
    url: str,
    weeks: Sequence[int] = range(1, WEEKS + 1),
    kills: int = 0,
    dice: Any = None,
    run: Run = afresh,
) -> Dataset:
    """One refresh for each week's end, in a lake of its own; some of them killed and run again."""
    shutil.rmtree(lake, ignore_errors=True)
    to_kill = Counter(dice.choices(weeks, k=kills)) if kills else Counter()
    for week in weeks:
        until = FIRST + timedelta(days=7 * week + (week == WEEKS))
        for _ in range(to_kill[week]):
            kill(told(lake, logs, url, until), dice)
        began = time.monotonic()
        done = run(told(lake, logs, url, until))
        report = json.loads(done.stdout.strip().splitlines()[-1])
        spent = report["teacher"]
        print(
            f"{lake.name:<7} until {until} {report['status']:<11} {report['version'] or '-':<6} "
            f"read {report['rows_read']:>5} new {report['rows_new']:>5} total {report['rows_total']:>6} "
            f"calls {spent['calls']:>6} hits {spent['cache_hits']:>6} {time.monotonic() - began:6.1f} s",
            flush=True,
        )
        if done.returncode:
            print(done.stderr, file=sys.stderr)
    return Dataset(lake / "weeks")


def told(lake: Path, logs: Path, url: str, until: date) -> list[str]:
    changes = ("output.name=weeks", "teacher.model=replay", f"teacher.base_url={url}", "judging.min_score=4.0")
    sets = [part for change in changes for part in ("--set", change)]
    return ["refresh", "--json", "--source", str(logs), "--out", str(lake), "--until", str(until), *sets]


def surroundings() -> dict[str, str]:
    return os.environ | {"OPENAI_API_KEY": "loopback", "PYTHONPATH": str(PROJECT)}


def kill(arguments: Sequence[str], dice: random.Random) -> None:
    """Start a run and kill it, with everything that it started, after a random while."""
    run = subprocess.Popen(
        [*FLYWHEEL, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=surroundings(),
        start_new_session=True,
    )
    try:
        run.wait(dice.uniform(3, 18))
        print("        ended before it was killed", flush=True)
    except subprocess.TimeoutExpired:
        print(f"        killed {run.pid}", flush=True)
    os.killpg(run.pid, signal.SIGKILL) if run.poll() is None else None
    run.wait()


def accounted(dataset: Dataset, rows: int) -> list[str]:
    """Every row that was read ends in exactly one state."""
    states = Counter(dataset.ledger().column("state").to_pylist())
    print(f"{dataset.folder.parent.name}: {dict(states.most_common())}")
    return [] if states.total() == rows else [f"{dataset.folder}: {states.total()} of {rows} rows have a state"]


def rows_of(version: Path) -> dict[str, str]:
    """row_id -> side."""
    files = sorted(version.glob("data/chat/*.parquet"))
    return {row_id: f.name.partition("-")[0] for f in files for row_id in ids(f)}


def ids(file: Path) -> list[str]:
    return pq.read_table(file, columns=["row_id"]).column("row_id").to_pylist()


def sides(dataset: Dataset) -> list[str]:
    """No row ever changes side."""
    first: dict[str, str] = {}
    moved = []
    for entry in dataset.chain:
        if entry.version:
            for row_id, side in rows_of(dataset.versions / entry.version).items():
                if first.setdefault(row_id, side) != side:
                    moved.append(f"{row_id} moved from {first[row_id]} to {side} in {entry.version}")
    return moved


def equal(one: Dataset, other: Dataset) -> list[str]:
    """The same versions, byte for byte."""
    a, b = digests(one.versions), digests(other.versions)
    print(f"undisturbed and killed: {len(a)} and {len(b)} files")
    return [f"differs: {name}" for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]


def digests(folder: Path) -> dict[str, str]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def same(weekly: Dataset, once: Dataset) -> list[str]:
    """One go publishes what eight weeks do, but for what the published-first rule decides."""
    a, b = (rows_of(d.versions / str(d.base)) for d in (weekly, once))
    only_a, only_b = a.keys() - b.keys(), b.keys() - a.keys()
    decided = {into for d in (weekly, once) for into in decided_by_published(d)}
    print(f"eight weeks: {len(a)} rows, one go: {len(b)}; only in one of them: {len(only_a)} and {len(only_b)}")
    strange = (only_a | only_b) - decided
    return [f"in one history only, and not by the published-first rule: {i}" for i in sorted(strange)]


def decided_by_published(dataset: Dataset) -> set[str]:
    """Rows that lost or won against another of the same answer."""
    found: set[str] = set()
    for entry in dataset.chain:
        for row in pq.read_table(dataset.file(entry, "dropped")).to_pylist():
            if row["reason"] in ("merged", "answer_repeated", "straddles_split") and row["messages"][-1]["trained"]:
                found |= {row["row_id"], row["into"]}
    return found


if __name__ == "__main__":
    sys.exit(main())
