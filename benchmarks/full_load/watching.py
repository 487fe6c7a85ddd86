"""A command watched from outside while it runs: memory and CPU of its process, and when it said what.

The stages of a refresh end with a line on stderr, so what lies between two lines is one stage's. Nothing is asked of
the process itself; Linux alone tells all this, in /proc.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
EVERY = 0.05


@dataclass(frozen=True, slots=True)
class Sample:
    """A process at a moment: seconds since its start, MiB of its own, seconds of CPU, MiB resident.

    What is resident and not its own are pages of files that are mapped (the call store, the history, the rows of a
    fold): the system keeps them while nobody else needs the room, and drops them without a write.
    """

    at: float
    mib: float
    cpu: float
    resident: float


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
    done = Watched(0, "", 0.0, began)
    threads = [threading.Thread(target=work, args=(process, done, began)) for work in (listen, sample)]
    for thread in threads:
        thread.start()
    assert process.stdout
    done.out = process.stdout.read()
    done.code = process.wait()
    for thread in threads:
        thread.join()
    done.seconds = time.monotonic() - began
    return done


def listen(process: subprocess.Popen[str], done: Watched, began: float) -> None:
    assert process.stderr
    for line in process.stderr:
        if now := taken(process.pid, began):
            done.said.append((line.rstrip(), now))


def sample(process: subprocess.Popen[str], done: Watched, began: float) -> None:
    while now := taken(process.pid, began):
        done.samples.append(now)
        time.sleep(EVERY)


def taken(pid: int, began: float) -> Sample | None:
    """The process now; None where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        told = dict(re.findall(r"^(\w+):\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE))
    except OSError:
        return None
    if "RssAnon" not in told:  # it is ending
        return None
    own, resident = int(told["RssAnon"]) / 1024, int(told["VmRSS"]) / 1024
    return Sample(time.monotonic() - began, own, (int(fields[11]) + int(fields[12])) / TICKS, resident)
