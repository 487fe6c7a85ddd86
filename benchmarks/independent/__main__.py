"""The engine and a whole refresh against a server that is not ours: the litellm proxy (`make independent`).

    python -m benchmarks.independent

Each line says PASS, FAIL, or NOTE where the proxy answers otherwise than OpenAI does and the engine makes the best of
it. Exits with 1 where something failed, and with 2 where the proxy cannot be had.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from benchmarks.engine.measured import question
from benchmarks.engine.peers import LITELLM, PROJECT, NotInstalled, last_line
from benchmarks.independent.proxy import NotStarted, Proxy, proxy
from tasks.prompt import Filled
from tasks.recipe import Endpoint
from tasks.record import Message
from tasks.teacher.ask import Teacher
from tasks.teacher.budget import Purse
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer, TeacherUnusable
from tasks.teacher.engine import Engine
from tasks.teacher.store import CallStore

CALLS, IN_FLIGHT, RUN = 200, 32, "independent"
Mark = Literal["PASS", "FAIL", "NOTE"]
Line = tuple[Mark, str]


class Verdict(BaseModel):
    """What the judge is asked for."""

    reason: str
    harmless: bool
    score: float


@contextlib.asynccontextmanager
async def teacher(at: Proxy, folder: Path, model: str, count: Count, key: str = "") -> AsyncIterator[Teacher]:
    """The engine at the proxy, with a store in the folder; `count` is what its calls come to."""
    endpoint = Endpoint(model=model, max_in_flight=IN_FLIGHT, timeout=30)
    async with (
        CallStore(stored(folder), RUN) as store,
        Engine(endpoint, store, Purse(), at.url, at.url, key or at.key) as engine,
    ):
        yield Teacher(engine, count)


def stored(folder: Path) -> Path:
    return folder / "calls.sqlite"


async def engine(at: Proxy, folder: Path) -> list[Line]:
    """Calls go out and come back, are counted, and are not made twice."""
    texts, count, again, began = set[str](), Count(), Count(), time.monotonic()
    async with teacher(at, folder, "scripted", count) as asked:
        texts |= set(await asyncio.gather(*(text(asked, question(n)) for n in range(CALLS))))
    seconds, answered = time.monotonic() - began, f"{len(texts)} of {CALLS} questions"
    async with teacher(at, folder, "scripted", again) as asked, CallStore(stored(folder), RUN) as store:
        spent = store.spent().get("", Count())
        texts |= set(await asyncio.gather(*(text(asked, question(n)) for n in range(CALLS))))
    usage = f"{count.tokens_in:,} tokens in, {count.tokens_out:,} out, {count.estimated} estimated"
    booked = (spent.calls, spent.tokens_in, spent.tokens_out) == (count.calls, count.tokens_in, count.tokens_out)
    return [
        held(count.calls == CALLS, f"{answered} answered in {seconds:.1f} s with {count.calls} calls"),
        held(booked and count.tokens_in > 0 and not count.estimated, f"usage: {usage}, the same in the store"),
        held(len(texts) == again.hits == CALLS and not again.calls, f"again: {again.hits} hits, {again.calls} calls"),
    ]


async def text(asked: Teacher, words: str) -> str:
    return (await asked.ask(filled(words), 0.0, 200)).text


async def structured(at: Proxy, folder: Path) -> list[Line]:
    """A schema where the model keeps to it; where it does not, one more ask, and no verdict rather than a bad one."""
    async with teacher(at, folder, "scripted", Count()) as asked:
        verdict, _ = await asked.ask_json(filled("Judge this."), Verdict, "en")
    lines = [held(verdict is not None and verdict.score == 4.5, f"schema: {verdict!r}")]
    async with teacher(at, folder, "plain", Count()) as asked:
        verdict, reply = await asked.ask_json(filled("评判这个。"), Verdict, "zh")
    said = f"a model that ignores the schema: {asked.count.calls} calls, verdict {verdict}, last reply {reply.text!r}"
    return [*lines, held(verdict is None and asked.count.calls == 2, said)]


async def refused(at: Proxy, folder: Path) -> list[Line]:
    """A key and a model that the proxy does not know should stop a run at its first call."""
    return [
        await stopped("a wrong key", at, folder / "key", "plain", "sk-wrong-0123456789"),
        await stopped("a wrong model", at, folder / "model", "unheard-of"),
    ]


async def stopped(what: str, at: Proxy, folder: Path, model: str, key: str = "") -> Line:
    try:
        async with teacher(at, folder, model, Count(), key) as asked:
            return "FAIL", f"{what}: answered with {await text(asked, 'bread')!r}"
    except TeacherUnusable as stop:
        return "PASS", f"{what} stops the run: {stop}"
    except NoAnswer as none:
        return "NOTE", f"{what} does not stop the run: the proxy answers 400, so each record is refused ({none})"


def refresh(at: Proxy, folder: Path) -> list[Line]:
    """`flywheel refresh` on the samples' logs publishes a version; a second one makes no call."""
    first, fault = flywheel(at, folder)
    if fault:
        return [("FAIL", f"refresh: {fault}")]
    came = f"{first['status']} {first['version']}, {first['rows_total']} rows of {first['rows_read']} logs"
    well = first["status"] == "published" and first["rows_total"] > 0 and first["teacher"]["tokens_in"] > 0
    lines = [held(well, f"refresh: {came}, {first['teacher']}")]
    second, fault = flywheel(at, folder)
    spent = second.get("teacher") or {}
    said = fault or f"refresh again: {second['status']}, {spent}"
    return [*lines, held(not fault and not spent.get("calls"), said)]


def flywheel(at: Proxy, folder: Path) -> tuple[dict[str, Any], str]:
    """What a refresh told as JSON, and what went wrong."""
    told = {"teacher.model": "scripted", "teacher.base_url": at.url, "teacher.max_in_flight": IN_FLIGHT}
    sets = [word for name, value in told.items() for word in ("--set", f"{name}={value}")]
    logs = str(PROJECT / "data" / "samples" / "logs.jsonl")
    command = [sys.executable, "-c", "from flows.commands import main; main()", "refresh", "--json", "--source", logs]
    env = os.environ | {"PYTHONPATH": str(PROJECT), "OPENAI_API_KEY": at.key, "PREFECT_HOME": str(folder / "prefect")}
    command += ["--out", str(folder / "lake"), *sets]
    ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if ran.returncode:
        return {}, f"exit code {ran.returncode}: {last_line(ran.stderr)}"
    return json.loads(ran.stdout.strip().splitlines()[-1]), ""


def held(well: bool, said: str) -> Line:
    return ("PASS" if well else "FAIL"), said


def filled(words: str) -> Filled:
    return Filled((Message("user", words),), "independent", "")


def main() -> int:
    try:
        with proxy() as at, tempfile.TemporaryDirectory(prefix="flywheel-independent-") as place:
            print(f"{LITELLM[0]} at {at.url}", flush=True)
            folder, marks = Path(place), []
            for check in (engine, structured, refused, refresh):
                made = check(at, folder)
                for mark, said in made if isinstance(made, list) else asyncio.run(made):
                    marks.append(mark)
                    print(f"{mark}  {said.replace(at.key, '[key]')}", flush=True)
    except (NotInstalled, NotStarted) as why:
        print(f"{LITELLM[0]} cannot be had here: {why}", file=sys.stderr)
        return 2
    return 1 if "FAIL" in marks else 0


if __name__ == "__main__":
    sys.exit(main())
