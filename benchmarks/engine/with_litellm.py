"""litellm as documented: acompletion behind a semaphore, its retries, and its disk cache."""

from __future__ import annotations

import asyncio

import litellm
import openai
from measured import KEY, MAX_TOKENS, MODEL, RETRIES, TIMEOUT, Given, measured


async def answers(given: Given) -> list[str | None]:
    places = asyncio.Semaphore(given.in_flight)
    litellm.cache = litellm.Cache(type="disk", disk_cache_dir=str(given.cache))

    async def one(asked: str) -> str | None:
        try:
            async with places:
                made = await litellm.acompletion(
                    model=f"openai/{MODEL}",
                    messages=[{"role": "user", "content": asked}],
                    max_tokens=MAX_TOKENS,
                    api_base=given.url,
                    api_key=KEY,
                    timeout=TIMEOUT,
                    num_retries=RETRIES,
                )
            return made.choices[0].message.content or "" if made.choices else ""
        except (openai.OpenAIError, ValueError):
            return None

    return await asyncio.gather(*map(one, given.questions))


litellm.suppress_debug_info = True
measured(lambda given: asyncio.run(answers(given)))
