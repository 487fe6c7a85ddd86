"""What a version sets off: a command that gets its path, and the student that the command may name.

The command is a list of arguments, never a shell line. It names its student as a JSON object, `{"base_url": …,
"model": …}`, in the file that FLYWHEEL_STUDENT names, or as the last line that it prints.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tasks.history.student import Student, named

PLACE = re.compile(r"\{(path|version|dataset)\}")
TAIL = 64 * 1024  # of a log, in bytes: the last line is in there


class Unfollowed(RuntimeError):
    """What should have followed a publication did not; the version stands all the same."""


def filled(command: Sequence[str], facts: Mapping[str, str]) -> list[str]:
    """The arguments with `{path}`, `{version}` and `{dataset}` in their place; other braces stay."""
    return [PLACE.sub(lambda place: facts[place[1]], argument) for argument in command]


async def run(command: Sequence[str], facts: Mapping[str, str], log: Path) -> Student | None:
    """Run the command to its end, its output in `log`; gives the student that it names, if it names one.

    Raises Unfollowed where it cannot be started or ends badly, NoStudent where it names one that is none.
    """
    told = log.with_suffix(".student.json")
    surroundings = {f"FLYWHEEL_{name.upper()}": value for name, value in facts.items()}
    env = os.environ | surroundings | {"FLYWHEEL_STUDENT": str(told)}
    with log.open("wb") as out:
        try:
            process = await asyncio.create_subprocess_exec(
                *filled(command, facts), stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, env=env
            )
        except OSError as fault:
            raise Unfollowed(f"{command[0]} cannot be started: {fault.strerror}") from None
        try:
            code = await process.wait()
        finally:
            with suppress(ProcessLookupError):
                process.terminate()  # an interrupted run interrupts it too; one that ended is not there to hear it
    if code:
        raise Unfollowed(f"{command[0]} ended with {code}; its output is in {log}")
    if told.is_file():
        return named(told.read_text("utf-8", "replace"))
    said = last_line(log)
    return named(said) if said.startswith("{") and '"base_url"' in said else None


def last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
