"""The engine at full load, in a whole refresh: `make full-load`, or with `--calls 10000` for a first look.

`flywheel refresh` runs as a user runs it, with the Prefect server that it starts, over a log of invented questions and
against a teacher in a process of its own that answers with 2 KB after 300 ms in the mean (lognormal). Each question is
labelled, answered and judged: three calls a record, one after another, so a run of `--calls` has a third as many
questions. What comes before the first call (start, pull, mine, dedup) and after the last (gates, dedup, publish) is
told apart. Then the same run from the store of the first, in another lake; then, if asked, one that is killed at
random moments while it asks, again and again, whose files must be those of one that nobody disturbed.

Ideal is calls x mean latency / calls in flight. Memory is the process's own (RssAnon), and how much more than just
before the first call; for each stage, its peak. What processes take that send the calls is told apart; `--senders` says
how many (0: the run itself sends), where the default is not wanted. `--sampled` tells whose code the CPU time went to.
Exits 1 where files differ; the figures decide nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.full_load import log, teacher
from benchmarks.full_load.sampled import WHERE
from benchmarks.full_load.watching import Sample, Watched, watched

PROJECT = Path(__file__).resolve().parents[2]
STEPS = 3  # calls for a record: its label, its answer, its verdict
NAME = "load"
BEFORE, LAST = "prompts", "judge"  # the stages between which calls are made
LOOK, LATER = 0.05, 0.5  # seconds between two looks at the teacher; seconds at the most until a kill follows


@dataclass(frozen=True)
class Load:
    """What is run: questions from a log, in lakes under `folder`, so many calls at once."""

    folder: Path
    url: str
    in_flight: int
    latency: float
    senders: int | None = None

    def command(self, lake: Path, flywheel: str = "flows.commands") -> list[str]:
        sets = {
            "output.name": NAME,
            "output.exports": "[]",
            "teacher.model": teacher.MODEL,
            "teacher.base_url": self.url,
            "teacher.max_in_flight": str(self.in_flight),
            "mine.repeats.pasted_users": "1000000",
            "answer.chain_of_thought_for": "[]",
        }
        if self.senders is not None:
            sets["teacher.senders"] = str(self.senders)
        told = [part for field, value in sets.items() for part in ("--set", f"{field}={value}")]
        start = [sys.executable, "-c", f"from {flywheel} import main; raise SystemExit(main())"]
        return [*start, "refresh", "--json", "--source", str(self.folder / "log.jsonl"), "--out", str(lake), *told]

    def run(self, lake: Path, flywheel: str = "flows.commands") -> Watched:
        """One refresh, to its end. Raises RuntimeError where it does not publish."""
        done = watched(self.command(lake, flywheel), self.surroundings(lake), PROJECT)
        if done.code:
            raise RuntimeError("\n".join([*(line for line, _ in done.said), done.out]))
        return done

    def surroundings(self, lake: Path) -> dict[str, str]:
        """Each lake has a Prefect of its own: nothing is reused that one run alone would not find."""
        own = {"OPENAI_API_KEY": "loopback", "PYTHONPATH": str(PROJECT), "PREFECT_HOME": str(lake / ".prefect")}
        kept = {k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"}
        return kept | own | {WHERE: str(self.folder / "samples.json")}

    def figures(self) -> dict[str, Any]:
        """What the teacher saw so far."""
        with urlopen(self.url.replace("/v1", "/figures"), timeout=30) as answer:
            return json.load(answer)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100_000, help="Calls of the cold run, three for a question.")
    parser.add_argument("--in-flight", type=int, default=512, help="teacher.max_in_flight.")
    parser.add_argument("--latency", type=float, default=0.3, help="The teacher's, in seconds in the mean.")
    parser.add_argument("--senders", type=int, help="teacher.senders.")
    parser.add_argument("--kills", type=int, default=0, help="How often another run of the same is killed.")
    parser.add_argument("--seed", type=int, default=0, help="When it is killed.")
    parser.add_argument("--sampled", action="store_true", help="Sample whose code runs; costs some CPU itself.")
    parser.add_argument("--keep", type=Path, help="Keep log and lakes in this folder.")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="full-load-"))
    folder.mkdir(parents=True, exist_ok=True)
    log.write(folder / "log.jsonl", given.calls // STEPS)
    flywheel = "benchmarks.full_load.sampled" if given.sampled else "flows.commands"
    with serving(given.latency) as url:
        load = Load(folder, url, given.in_flight, given.latency, given.senders)
        cold = load.run(fresh(folder / "cold"), flywheel)
        print(spent("cold", cold, load))
        if given.sampled:
            print(whose(folder / "samples.json", cold))
        again = load.run(stocked(folder / "again", folder / "cold"), flywheel)
        print(spent("again", again, load))
        if given.sampled:
            print(whose(folder / "samples.json", again))
        print(f"teacher: {load.figures()}")
    faults = differing(folder / "cold", folder / "again")
    if given.kills:
        faults += killed(folder, given)
    print("\n".join(faults) or "the published files are equal, byte for byte")
    if not given.keep:
        shutil.rmtree(folder)
    return 1 if faults else 0


def killed(folder: Path, given: argparse.Namespace) -> list[str]:
    """A run that is killed again and again, against a teacher that counts for it alone; what differs in its files."""
    dice, lake = random.Random(given.seed), fresh(folder / "killed")
    with serving(given.latency) as url:
        load = Load(folder, url, given.in_flight, given.latency, given.senders)
        for nth, answers in enumerate(sorted(dice.sample(range(given.calls * 9 // 10), given.kills))):
            kill(load, lake, answers, dice.uniform(0, LATER))
            seen = load.figures()
            print(f"kill {nth + 1}: {seen['calls']} answers given, {seen['answered_twice']} twice", flush=True)
        load.run(lake)
        seen = load.figures()
    print(
        f"killed {given.kills} times: {seen['calls']} answers given, {seen['answered_twice']} of them twice; "
        f"{seen['asked_twice']} requests sent again, those in flight at a kill among them"
    )
    return differing(folder / "cold", lake)


def kill(load: Load, lake: Path, answers: int, later: float) -> None:
    """Start a run and kill it, with everything that it started, soon after the teacher gave so many answers. Raises
    RuntimeError where it ends before."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    run = subprocess.Popen(load.command(lake), env=load.surroundings(lake), cwd=PROJECT, **quiet)
    while load.figures()["calls"] < answers and run.poll() is None:
        time.sleep(LOOK)
    time.sleep(later)
    if run.poll() is not None:
        raise RuntimeError(f"the run ended by itself, with {run.returncode}, before it could be killed")
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def spent(what: str, done: Watched, load: Load) -> str:
    """What a run took, by part and by stage."""
    start, began, ended = done.stages[0][1], done.ended(BEFORE), done.ended(LAST)
    seconds, cpu = ended.at - began.at, ended.cpu - began.cpu
    report = json.loads(done.out.strip().splitlines()[-1])["teacher"]
    made, hits = report["calls"], report["cache_hits"]
    ideal = made * load.latency / load.in_flight
    against = (
        f"ideal {ideal:.1f} s, ratio {seconds / ideal:.3f}" if made else f"{1e5 * seconds / hits:.1f} s for 100,000"
    )
    peak = done.peak(began.at, ended.at)
    lines = [
        f"{what}: {done.seconds:.1f} s in all: start and pull {start.at:.1f}, until the first call "
        f"{began.at - start.at:.1f}, asking {seconds:.1f}, after the last call {done.seconds - ended.at:.1f}",
        f"  asking   {made} calls, {hits} hits in {seconds:.1f} s; {against}",
        f"  cpu      {1e3 * cpu / (made + hits):.3f} ms for each, {100 * cpu / seconds:.0f} % of a core",
        f"  sent     {sent(began, ended, seconds, made)}",
        f"  memory   {peak:.0f} MiB while asking, {peak - began.mib:.0f} over the moment before; "
        f"{done.peak(0, done.seconds):.0f} MiB at the most in all, {done.resident:.0f} with the pages of mapped files",
    ]
    before = done.said[0][1]
    for name, sample in done.stages:
        lines.append(
            f"    {name:<8} {sample.at - before.at:6.1f} s {sample.cpu - before.cpu:6.1f} s cpu "
            f"{done.peak(before.at, sample.at):5.0f} MiB"
        )
        before = sample
    return "\n".join(lines)


def sent(began: Sample, ended: Sample, seconds: float, made: int) -> str:
    """Who sent the calls, and what it took them."""
    if not ended.senders:
        return "by the run itself"
    cpu = ended.senders_cpu - began.senders_cpu
    each = f"{1e3 * cpu / made:.3f} ms for each, " if made else ""
    many = f"{ended.senders} process{'es' if ended.senders > 1 else ''}"
    return f"by {many}: {each}{100 * cpu / seconds:.0f} % of a core, {ended.senders_mib:.0f} MiB"


def whose(samples: Path, done: Watched) -> str:
    """Whose code ran while calls were made, of the main thread's CPU time; and what each thread took in all."""
    plain = json.loads(samples.read_text(encoding="utf-8"))
    since, until = (done.began + done.ended(stage).at for stage in (BEFORE, LAST))
    counted = Counter(who for at, who in plain["samples"] if since <= at <= until)
    shares = ", ".join(f"{100 * n / counted.total():.1f} % {who}" for who, n in counted.most_common())
    busy = ", ".join(f"{name} {cpu:.1f} s" for name, cpu in plain["threads"].items() if cpu >= 0.1)
    return f"  whose    {shares}; {busy}"


@contextmanager
def serving(latency: float) -> Iterator[str]:
    """The teacher, in a process of its own."""
    told = [sys.executable, "-m", "benchmarks.full_load.teacher", "--latency", str(latency)]
    with subprocess.Popen(told, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def fresh(lake: Path) -> Path:
    shutil.rmtree(lake, ignore_errors=True)
    return lake


def stocked(lake: Path, other: Path) -> Path:
    """A new lake with the answers of another one in its store."""
    place = fresh(lake) / NAME
    place.mkdir(parents=True)
    with sqlite3.connect(other / NAME / "calls.sqlite") as one, sqlite3.connect(place / "calls.sqlite") as copy:
        one.backup(copy)
    return lake


def differing(one: Path, other: Path) -> list[str]:
    """Published files that are not the same in both lakes."""
    a, b = ({p.relative_to(lake): p.read_bytes() for p in published(lake)} for lake in (one, other))
    print(f"{one.name} and {other.name} published {len(a)} and {len(b)} files")
    return [f"differs: {name}" for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]


def published(lake: Path) -> list[Path]:
    folders = (lake / NAME / "versions", lake / NAME / "increments")
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]


if __name__ == "__main__":
    sys.exit(main())
