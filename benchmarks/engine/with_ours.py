"""The engine of this repository with its call store; the only client that imports it."""

from __future__ import annotations

import asyncio

import httpx2  # noqa: F401  with openai, what the engine imports when it starts
import openai  # noqa: F401
from measured import KEY, RETRIES, TIMEOUT, Given, body, measured

from tasks.recipe import Endpoint
from tasks.teacher.budget import Purse
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer, Unanswered
from tasks.teacher.engine import Engine
from tasks.teacher.store import CallStore


async def answers(given: Given) -> list[str | None]:
    endpoint = Endpoint(
        model="measured", base_url=given.url, max_in_flight=given.in_flight, timeout=TIMEOUT, attempts=RETRIES + 1
    )
    async with (
        CallStore(given.cache / "calls.sqlite", "run") as store,
        Engine(endpoint, store, Purse(), given.url, given.url, KEY) as engine,
    ):
        return await asyncio.gather(*(one(engine, asked) for asked in given.questions))


async def one(engine: Engine, asked: str) -> str | None:
    try:
        return (await engine.call(body(asked), 0, Count(), "answer", asked[:8])).text
    except (NoAnswer, Unanswered):
        return None


measured(lambda given: asyncio.run(answers(given)))
