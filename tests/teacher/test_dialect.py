"""Endpoints that refuse a field of the request by its name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tasks.teacher.endings import NoAnswer
from tasks.teacher.protocol import ChatServer, completion, error
from tests.engines import ask, engine_at

LIMIT = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
WARM = "Unsupported value: 'temperature' does not support 0.0 with this model. Only the default (1) value is supported."


def particular(seen: list[dict[str, Any]]) -> ChatServer:
    """A model that wants its limit under the new name and no temperature, and says so one after the other."""

    async def answer(body: dict[str, Any]) -> web.StreamResponse:
        seen.append(body)
        for field, said in (("max_tokens", LIMIT), ("temperature", WARM)):
            if field in body:
                return error(400, "unsupported_parameter", said)
        return web.json_response(completion("fine 好", "m", ""))

    return ChatServer(answer, "m")


async def test_what_an_endpoint_does_not_take_is_learnt_once_and_the_question_asked_again(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    async with particular(seen) as server, engine_at(server, tmp_path) as engine:
        first = await ask(engine, "one", max_tokens=70)
        await asyncio.gather(*(ask(engine, f"question {i}", max_tokens=70) for i in range(5)))
    assert first.text == "fine 好"
    assert len(seen) == 3 + 5
    assert seen[-1]["max_completion_tokens"] == 70
    assert not {"max_tokens", "temperature"} & seen[-1].keys()


async def test_an_answer_in_another_dialect_is_the_same_answer(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    for _ in range(2):
        async with particular(seen) as server, engine_at(server, tmp_path) as engine:
            reply = await ask(engine, "one")
    assert reply.hit
    assert len(seen) == 3


@pytest.mark.parametrize("said", ["max_tokens is too large: 9999", "temperature must be at most 2", "bad request"])
async def test_another_refusal_is_final(tmp_path: Path, said: str) -> None:
    calls = []

    async def answer(body: dict[str, Any]) -> web.StreamResponse:
        calls.append(body)
        return error(400, "invalid_request_error", said)

    async with ChatServer(answer, "m") as server, engine_at(server, tmp_path) as engine:
        with pytest.raises(NoAnswer, match="refused_by_endpoint"):
            await ask(engine, "one")
    assert len(calls) == 1
