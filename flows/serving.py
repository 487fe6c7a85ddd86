"""Commands of the recipe that train a model and serve it: lists of arguments, held for as long as the run needs them.

What they say goes to a log that only its owner can read.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from flows.holding import OWN_PATH
from flows.tied import tied
from tasks.recipe import RecipeError
from tasks.recipe.small_model import Served
from tasks.teacher.endpoints import address, api_key

LOOK = 0.1  # seconds between two looks at a process
TAIL = 16 * 1024  # of a log, in bytes
SHOWN = 5  # of its last lines


@contextmanager
def held(command: Sequence[str], facts: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command at work until the block ends, with `{name}` in its arguments and FLYWHEEL_NAME around it."""
    place = re.compile(rf"\{{({'|'.join(facts)})\}}")
    arguments = [place.sub(lambda found: facts[found[1]], argument) for argument in command]
    env = {f"FLYWHEEL_{name.upper()}": value for name, value in facts.items()}
    with tied("flows.holding", arguments, log, env=env | {OWN_PATH: os.environ.get("PYTHONPATH", "")}) as process:
        yield process


async def finished(command: Sequence[str], facts: Mapping[str, str], log: Path, seconds: float, field: str) -> None:
    """Run the command to its end. Raises RecipeError where it ends badly or takes longer than `seconds`."""
    with held(command, facts, log) as process:
        try:
            async with asyncio.timeout(seconds):
                while (code := process.poll()) is None:
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            raise RecipeError(f"{command[0]} took longer than {seconds:g} s", field, said(log)) from None
    if code:
        raise RecipeError(f"{command[0]} ended with {code}", field, said(log))


@asynccontextmanager
async def served(model: Served, facts: Mapping[str, str], log: Path, field: str) -> AsyncIterator[None]:
    """The model's endpoint while the block runs. Raises RecipeError where it does not come up."""
    if not model.serve:
        if not await answering(model, None):
            what = f"nothing answers at {address(model.at)}"
            raise RecipeError(what, f"{field}.at.base_url", "start it, or name the command that does under `serve`")
        yield
        return
    if await answers(model):
        what = f"something answers at {address(model.at)} before `serve` has begun"
        raise RecipeError(what, f"{field}.serve", "leave `serve` out where it is the model, or name another port")
    with held(model.serve, facts, log) as process:
        if not await answering(model, process):
            ended = f"it ended with {process.poll()}" if process.poll() is not None else f"not within {model.wait:g} s"
            raise RecipeError(
                f"{model.serve[0]} does not serve {address(model.at)}: {ended}", f"{field}.serve", said(log)
            )
        yield


async def answering(model: Served, process: subprocess.Popen[bytes] | None) -> bool:
    """Whether the endpoint answers in time, and while the process that is to serve it runs."""
    until = time.monotonic() + model.wait
    while time.monotonic() < until and (process is None or process.poll() is None):
        if await answers(model):
            return True
        await asyncio.sleep(LOOK)
    return False


async def answers(model: Served) -> bool:
    """Whether the endpoint lists models. A proxy does not reach this machine's loopback, and a model of one's own is
    mostly there."""
    headers = {"Authorization": f"Bearer {key}"} if (key := api_key(model.at)) else {}
    url = httpx.URL(f"{address(model.at).rstrip('/')}/models")
    async with httpx.AsyncClient(timeout=5, trust_env=url.host not in ("127.0.0.1", "localhost", "::1")) as client:
        try:
            return (await client.get(url, headers=headers)).is_success
        except httpx.HTTPError:
            return False


def said(log: Path) -> str:
    """The last lines of a log, and where the rest is."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()[-SHOWN:]
    told = " / ".join(" ".join(line.split())[:200] for line in lines if line.strip())
    return f"its last words: {told or 'none'}; all of them in {log}"
