"""The openai SDK with the transport that it documents for many calls at once."""

from __future__ import annotations

import asyncio

import openai
from measured import KEY, RETRIES, TIMEOUT, Given, measured
from with_openai import answers


async def run(given: Given) -> list[str | None]:
    transport = openai.DefaultAioHttpClient(timeout=TIMEOUT)
    client = openai.AsyncOpenAI(
        api_key=KEY, base_url=given.url, timeout=TIMEOUT, max_retries=RETRIES, http_client=transport
    )
    return await answers(given, client)


measured(lambda given: asyncio.run(run(given)))
