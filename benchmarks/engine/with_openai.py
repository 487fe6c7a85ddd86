"""The openai SDK as documented: AsyncOpenAI and its default transport."""

from __future__ import annotations

import asyncio

import openai
from measured import KEY, MAX_TOKENS, MODEL, RETRIES, TIMEOUT, Given, measured


async def answers(given: Given, client: openai.AsyncOpenAI) -> list[str | None]:
    places = asyncio.Semaphore(given.in_flight)

    async def one(asked: str) -> str | None:
        try:
            async with places:
                made = await client.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": asked}], max_tokens=MAX_TOKENS
                )
            return made.choices[0].message.content or "" if made.choices else ""
        except (openai.OpenAIError, ValueError):  # broken JSON comes up as it is
            return None

    async with client:
        return await asyncio.gather(*map(one, given.questions))


def run(given: Given) -> list[str | None]:
    client = openai.AsyncOpenAI(api_key=KEY, base_url=given.url, timeout=TIMEOUT, max_retries=RETRIES)
    return asyncio.run(answers(given, client))


if __name__ == "__main__":
    measured(run)
