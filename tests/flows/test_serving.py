"""Commands of the recipe, held: their logs, how they end, and endpoints that come up and go away."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from flows.embedded import free_port
from flows.serving import answers, finished, served
from tasks.recipe import Endpoint, RecipeError
from tasks.recipe.small_model import Served
from tests.flows.conftest import PROJECT

FOREVER = (
    "import time, sys, pathlib; pathlib.Path(sys.argv[1]).write_text(str(__import__('os').getpid())); time.sleep(600)"
)
MEMORISER = str(PROJECT / "tests" / "flows" / "memoriser.py")


def model(port: int, *serve: str, wait: float = 60) -> Served:
    at = Endpoint(model="tiny", base_url=f"http://127.0.0.1:{port}/v1", api_key_env="SMALL_MODEL_KEY")
    return Served(at=at, serve=list(serve) or None, wait=wait)


async def written(file: Path) -> int:
    """The number in a file, once it is there."""
    while not (file.is_file() and file.read_text()):
        await asyncio.sleep(0.05)
    return int(file.read_text())


async def gone(pid: int) -> None:
    while Path(f"/proc/{pid}").exists() and b"Z" not in Path(f"/proc/{pid}/stat").read_bytes().split()[2:3]:
        await asyncio.sleep(0.05)


async def test_a_command_gets_its_facts_as_arguments_and_around_it(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.argv[1:], os.environ['FLYWHEEL_MODEL'], os.environ.get('PYTHONPATH', 'none'))"
    command = [sys.executable, "-c", code, "--to={model}", "{else}"]
    await finished(command, {"model": "/m", "train": "/t"}, tmp_path / "log", 60, "train")
    assert (tmp_path / "log").read_text() == f"['--to=/m', '{{else}}'] /m {os.environ.get('PYTHONPATH') or 'none'}\n"


async def test_one_that_cannot_be_started_or_takes_too_long_is_named_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no-such-command ended with 127") as fault:
        await finished(["no-such-command"], {"model": ""}, tmp_path / "log", 60, "answer.small_model.train")
    assert "no-such-command cannot be started" in fault.value.hint
    slow = [sys.executable, "-c", f"print('here', flush=True)\n{FOREVER}", str(tmp_path / "pid")]
    with pytest.raises(RecipeError, match="took longer than 2 s"):
        await finished(slow, {"model": ""}, tmp_path / "log", 2, "answer.small_model.train")
    await asyncio.wait_for(gone(await written(tmp_path / "pid")), 30)


async def test_whoever_stops_the_run_stops_its_command(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FOREVER, str(tmp_path / "pid")]
    run = asyncio.create_task(finished(command, {"model": ""}, tmp_path / "log", 600, "train"))
    pid = await asyncio.wait_for(written(tmp_path / "pid"), 60)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    await asyncio.wait_for(gone(pid), 30)


async def test_a_command_ends_even_where_the_run_is_killed(tmp_path: Path) -> None:
    running = (
        "import asyncio, sys, pathlib; from flows.serving import finished; "
        "asyncio.run(finished([sys.executable, '-c', sys.argv[1], sys.argv[2]], {'model': ''}, "
        "pathlib.Path(sys.argv[2] + '.log'), 600, 'train'))"
    )
    env = os.environ | {"PYTHONPATH": str(PROJECT)}
    run = await asyncio.create_subprocess_exec(sys.executable, "-c", running, FOREVER, str(tmp_path / "pid"), env=env)
    pid = await asyncio.wait_for(written(tmp_path / "pid"), 60)
    run.kill()
    await run.wait()
    await asyncio.wait_for(gone(pid), 30)


async def test_an_endpoint_stands_for_as_long_as_it_is_needed(tmp_path: Path) -> None:
    tiny = model(port := free_port(), sys.executable, MEMORISER, "serve", "{model}", str(port), "yes")
    async with served(tiny, {"model": str(tmp_path)}, tmp_path / "log", "answer.small_model"):
        assert await answers(tiny)
        with pytest.raises(RecipeError, match=r"something answers at .* before `serve` has begun"):
            async with served(tiny, {"model": str(tmp_path)}, tmp_path / "other", "answer.small_model"):
                pass
        async with served(model(port), {"model": ""}, tmp_path / "other", "answer.small_model"):
            pass
    assert not await answers(tiny)


async def test_one_that_does_not_come_up_is_said_at_once(tmp_path: Path) -> None:
    began, facts = time.monotonic(), {"model": ""}
    broken = model(free_port(), sys.executable, "-c", "raise SystemExit('no weights there')", wait=600)
    with pytest.raises(RecipeError, match="it ended with 1") as fault:
        async with served(broken, facts, tmp_path / "log", "answer.small_model"):
            pass
    assert "no weights there" in fault.value.hint
    assert time.monotonic() - began < 600
    with pytest.raises(RecipeError, match="nothing answers at"):
        async with served(model(free_port(), wait=0.5), facts, tmp_path / "log", "answer.small_model"):
            pass
