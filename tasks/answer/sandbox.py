"""Run a Python program that nobody has read: its own process, nothing within reach, and limits on all that it uses.

On Linux with namespaces (`jail.py`; nothing to install) it sees no network, no file but the interpreter's and its own,
no process but its own, and no environment. Where namespaces cannot be had there is no sandbox, and `run` raises
NoSandbox, unless it is told to do with limits, an empty environment and a folder of its own alone: a program can then
read what this user can read, write what this user can write, and use the network.

What a program is, is told from how it ends: the check that stands after it has an end of its own, so a program that
ends early has passed nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Literal

from tasks.answer.jail import NO_JAIL

Ending = Literal["passed", "failed", "timed_out", "out_of_memory", "too_much_output", "needs_module"]
PASSED = 97
MEGABYTE = 1024 * 1024
KILLED = {128 + signal.SIGXCPU, 128 + signal.SIGKILL}
FRAME = re.compile(r'^  File "[^"\n]*program\.py", line \d+, in [^\n]+\n {4}(\S[^\n]*)$', re.M)
EXAMPLE = re.compile(r"^Failed example:\n {4}(\S[^\n]*)$", re.M)
SYSTEM = ("/usr", "/lib", "/lib64", "/bin")
CHECK = f"""
import doctest, os, sys
sys.path.insert(0, ".")
import program
with open("examples.txt", encoding="utf-8") as file:
    asked = doctest.DocTestParser().get_doctest(file.read(), dict(vars(program)), "examples", None, 0)
failed = doctest.DocTestRunner().run(asked).failed
for name, test in list(vars(program).items()):
    if name.startswith("test_") and callable(test):
        test()
sys.stdout.flush()
os._exit(1 if failed else {PASSED})
"""


class NoSandbox(RuntimeError):
    """This machine has no sandbox; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most that a program may use: seconds of CPU time, and twice that and a second by the clock; MB of memory and of
    files, in all and of each process; processes and threads at once; KB of output."""

    seconds: int = 10
    memory: int = 512
    files: int = 16
    processes: int = 16
    output: int = 64
    __pydantic_config__: ClassVar = {"extra": "forbid"}  # a recipe's misspelt limit would be none

    def __post_init__(self) -> None:
        if min(self.seconds, self.memory, self.files, self.processes, self.output) < 1:
            raise ValueError("every limit is at least 1")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, and the end of what it printed, behind the test that failed where that is known."""

    ending: Ending
    said: str = ""


async def run(program: str, examples: str = "", limits: Limits = Limits(), confined: bool = True) -> Ran:
    """Run a program, the functions in it named `test_…`, and doctest examples. As many run at once as there are cores.

    Raises NoSandbox.
    """
    return await asyncio.get_running_loop().run_in_executor(cores(), run_now, program, examples, limits, confined)


@cache
def cores() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="sandbox")


@cache
def missing() -> str:
    """Why there is no sandbox on this machine; empty where there is one."""
    try:
        ran = run_now("", "", Limits(), True)
    except NoSandbox as none:
        return str(none)
    return "" if ran.ending == "passed" else f"the sandbox cannot run {python()}: {ran.said}"


NUMBERS = count()


def run_now(program: str, examples: str, limits: Limits, confined: bool) -> Ran:
    with TemporaryDirectory(prefix="sandbox-") as name:
        folder = Path(name)
        for file, text in (("program.py", program), ("examples.txt", examples), ("check.py", CHECK)):
            (folder / file).write_text(text, "utf-8", "replace")
        told = {
            "folder": name,
            "confined": confined,
            "number": next(NUMBERS) % 10_000 + os.getpid() % 1_000 * 10_000,
            "python": python(),
            "kept": kept(),
            "limits": plain(limits),
        }
        jail = [python(), "-I", "-S", "-B", str(Path(__file__).with_name("jail.py")), json.dumps(told)]
        process = subprocess.Popen(
            [*jail, "-I", "-S", "-B", "check.py"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={},
            cwd=folder,
            start_new_session=True,
        )
        return heard(process, limits)


def plain(limits: Limits) -> dict[str, int]:
    """The limits as the jail takes them, in bytes."""
    return {
        "seconds": limits.seconds,
        "memory": limits.memory * MEGABYTE,
        "file_size": limits.files * MEGABYTE,
        "folder": limits.files,
        "processes": limits.processes,
    }


def python() -> str:
    """The interpreter itself, outside of any environment: a program has the standard library and no more."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def kept() -> list[str]:
    """The folders that the interpreter needs."""
    own = [os.path.realpath(sys.base_prefix), *map(os.path.dirname, (python(), os.path.realpath(os.__file__)))]
    found = [path for path in SYSTEM if os.path.exists(path)]
    for path in sorted(own, key=len):
        if not any(path == there or path.startswith(f"{there}/") for there in found):
            found.append(path)
    return found


def heard(process: subprocess.Popen[bytes], limits: Limits) -> Ran:
    """Listen to its end, its deadline, or too much output; nothing of it is left then."""
    deadline, said, cut = time.monotonic() + 2 * limits.seconds + 1, b"", ""
    assert process.stdout
    try:
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            while not cut:
                if not waiting.select(max(0.0, deadline - time.monotonic())):
                    cut = "timed_out"
                elif not (more := os.read(process.stdout.fileno(), 65_536)):
                    break
                elif len(said := said + more) > limits.output * 1024:
                    cut = "too_much_output"
        if not cut:
            process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        cut = "timed_out"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    text = said.decode("utf-8", "replace").strip()
    return ended(process.returncode, text, cut)


def ended(code: int, text: str, cut: str) -> Ran:
    """What an exit code and the last line of a traceback say. Raises NoSandbox."""
    last = text.rpartition("\n")[2][-200:]
    if cut == "timed_out" or cut == "too_much_output":
        return Ran(cut, last)
    if code == NO_JAIL:
        raise NoSandbox(f"no namespaces for a sandbox: {last}")
    if code == PASSED:
        return Ran("passed", last)
    if (code if code >= 0 else 128 - code) in KILLED:
        return Ran("timed_out", last)
    if last.startswith("MemoryError"):
        return Ran("out_of_memory", last)
    if last.startswith("ModuleNotFoundError"):
        return Ran("needs_module", last)
    return Ran("failed", ": ".join(filter(None, (failing(text), last.strip()))))


def failing(text: str) -> str:
    """The line of a traceback or of doctest's report that names the test: the assert, or else where the program was
    entered; the example. Empty where the text has none."""
    lines = FRAME.findall(text)
    asserts = [line for line in lines if line.startswith("assert")]
    return next(iter([*EXAMPLE.findall(text)[:1], *asserts[-1:], *lines[:1]]), "")[:200]
