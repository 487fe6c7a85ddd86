"""The limit: aiohttp by hand, a gather behind a semaphore. No retries, no store, no checks."""

from __future__ import annotations

import asyncio

import aiohttp
from measured import TIMEOUT, Given, body, measured


async def answers(given: Given) -> list[str | None]:
    places, timeout = asyncio.Semaphore(given.in_flight), aiohttp.ClientTimeout(TIMEOUT)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

        async def one(asked: str) -> str | None:
            try:
                async with places, session.post(f"{given.url}/chat/completions", json=body(asked)) as response:
                    return (await response.json())["choices"][0]["message"]["content"] or ""
            except (aiohttp.ClientError, TimeoutError, ValueError, LookupError):
                return None

        return await asyncio.gather(*map(one, given.questions))


measured(lambda given: asyncio.run(answers(given)))
