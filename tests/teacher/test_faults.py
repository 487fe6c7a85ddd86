"""The faults server itself: a counter that cannot count would make every test that stands on it pass."""

from typing import Any

import aiohttp

from tests.faults import FaultsServer, in_order, rate_limited


async def post(server: FaultsServer, text: Any) -> int:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    async with aiohttp.ClientSession() as client, client.post(f"{server.url}/chat/completions", json=body) as response:
        await response.read()
        return response.status


async def test_an_answer_that_is_asked_for_again_counts_as_paid_twice() -> None:
    async with FaultsServer() as server:
        assert [await post(server, text) for text in ("one", "two", "one")] == [200, 200, 200]
    assert (server.paid_twice, server.per_prompt["one"]) == (1, 2)


async def test_a_retry_before_its_time_counts_as_early() -> None:
    async with FaultsServer(script=in_order(rate_limited(seconds=30))) as server:
        assert [await post(server, text) for text in ("one", "two", "one")] == [429, 200, 200]
    assert server.early == 1  # the second question was never told to wait
