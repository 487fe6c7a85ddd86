"""A command watched from outside while it runs: memory and CPU of it and of its senders, and when it said what.

The stages of a refresh end with a line on stderr, so what lies between two lines is one stage's. Nothing is asked of
the process itself; Linux alone tells all this, in /proc.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
EVERY, SELDOM = 0.05, 1.0  # seconds between two looks at what is known, and between two for new senders
SENDER = b"tasks.teacher.sender"


@dataclass(frozen=True, slots=True)
class Sample:
    """A process at a moment: seconds since its start, MiB of its own, MiB resident, seconds of CPU; and the `senders`
    that it has had, with theirs.

    What is resident and not its own are pages of files that are mapped (the call store, the history, the rows of a
    fold): the system keeps them while nobody else needs the room, and drops them without a write.
    """

    at: float
    mib: float
    resident: float
    cpu: float
    senders: int = 0
    senders_mib: float = 0.0
    senders_cpu: float = 0.0


@dataclass
class Watched:
    """A command that ended; `began` is when, by the system's monotonic clock. `said` are the lines of its stderr, each
    with the sample taken when it came."""

    code: int
    out: str
    seconds: float
    began: float
    samples: list[Sample] = field(default_factory=list)
    said: list[tuple[str, Sample]] = field(default_factory=list)

    def ended(self, stage: str) -> Sample:
        """The process when this stage ended. Raises LookupError where it said no such line."""
        for name, sample in reversed(self.stages):
            if name == stage:
                return sample
        raise LookupError(f"no line of the stage {stage}:\n" + "\n".join(line for line, _ in self.said))

    @property
    def stages(self) -> list[tuple[str, Sample]]:
        """Each stage and the process at its end, in order."""
        lines = ((re.match(r"([a-z]+) +\d+ (in,|rows read)", line), sample) for line, sample in self.said)
        return [(found[1], sample) for found, sample in lines if found]

    def peak(self, since: float, until: float) -> float:
        """The most memory of its own between two moments, in MiB."""
        return max((s.mib for s in self.samples if since <= s.at <= until), default=0.0)

    @property
    def resident(self) -> float:
        """The most that was ever resident, in MiB, with the pages of mapped files."""
        return max(s.resident for s in self.samples)


def watched(command: Sequence[str], env: dict[str, str], cwd: Path) -> Watched:
    """Run a command to its end."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    done, seen = Watched(0, "", 0.0, began), Seen(process.pid, began)
    threads = [threading.Thread(target=work, args=(process, done, seen)) for work in (listen, sample)]
    for thread in threads:
        thread.start()
    assert process.stdout
    done.out = process.stdout.read()
    done.code = process.wait()
    for thread in threads:
        thread.join()
    done.seconds = time.monotonic() - began
    return done


def listen(process: subprocess.Popen[str], done: Watched, seen: Seen) -> None:
    assert process.stderr
    for line in process.stderr:
        if now := seen.now():
            done.said.append((line.rstrip(), now))


def sample(process: subprocess.Popen[str], done: Watched, seen: Seen) -> None:
    looked = 0.0
    while process.returncode is None:
        if now := seen.now():  # it holds nothing while it begins and while it ends
            done.samples.append(now)
            if now.at - looked > SELDOM:
                looked = now.at
                seen.look()
        time.sleep(EVERY)


@dataclass
class Seen:
    """A process, and the senders that it was seen to have: what was `taken` by each, as it was last."""

    pid: int
    began: float
    senders: dict[int, tuple[float, float, float]] = field(default_factory=dict)

    def now(self) -> Sample | None:
        """The process now; None where it is gone."""
        if not (own := taken(self.pid)):
            return None
        self.senders |= {pid: found for pid in tuple(self.senders) if (found := taken(pid))}
        each = tuple(self.senders.values())
        theirs = len(each), sum(mib for mib, _, _ in each), sum(cpu for _, _, cpu in each)
        return Sample(time.monotonic() - self.began, *own, *theirs)

    def look(self) -> None:
        """Whether it has new senders."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if fields(stat)[1] == str(self.pid) and SENDER in stat.with_name("cmdline").read_bytes():
                    self.senders.setdefault(int(stat.parent.name), (0.0, 0.0, 0.0))


def taken(pid: int) -> tuple[float, float, float] | None:
    """MiB of its own, MiB resident and seconds of CPU of a process; None where it is gone."""
    try:
        told = fields(Path(f"/proc/{pid}/stat"))
        held = dict(re.findall(r"^(\w+):\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE))
    except OSError:
        return None
    if "RssAnon" not in held:  # it is ending
        return None
    return int(held["RssAnon"]) / 1024, int(held["VmRSS"]) / 1024, (int(told[11]) + int(told[12])) / TICKS


def fields(stat: Path) -> list[str]:
    """What the system tells of a process, from its state on."""
    return stat.read_text().rpartition(") ")[2].split()
