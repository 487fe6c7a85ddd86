"""The engine of this repository with its call store, as a run sets it up; the only client that imports it."""

from __future__ import annotations

import asyncio
import os

import httpx2  # noqa: F401  with openai, what the engine imports when it starts
import openai  # noqa: F401
from measured import KEY, MODEL, RETRIES, TIMEOUT, Given, body, measured

from tasks.crew import Seats, through
from tasks.recipe import Endpoint, Price, Recipe
from tasks.teacher.budget import Purse
from tasks.teacher.collector import calm
from tasks.teacher.connect import engines
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer, Unanswered
from tasks.teacher.engine import Engine


async def answers(given: Given) -> list[str | None]:
    endpoint = Endpoint(
        model=MODEL,
        base_url=given.url,
        max_in_flight=given.in_flight,
        timeout=TIMEOUT,
        attempts=RETRIES + 1,
        price=Price(input=1, output=2),  # what it costs is counted, and no table of prices loaded
    )
    os.environ[endpoint.api_key_env] = KEY
    with calm():
        async with engines(Recipe(teacher=endpoint), given.cache / "calls.sqlite", Purse(), "run") as made:
            questions, seats = given.questions, Seats(2 * given.in_flight)  # as many are ready to follow, as in a run
            return await through(lambda n: one(made["teacher"], questions[n]), len(questions), seats)


async def one(engine: Engine, asked: str) -> str | None:
    try:
        return (await engine.call(body(asked), 0, Count(), "answer", asked[:8])).text
    except (NoAnswer, Unanswered):
        return None


measured(lambda given: asyncio.run(answers(given)))
