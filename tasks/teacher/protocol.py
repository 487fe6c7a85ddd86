"""The server's side of the OpenAI chat protocol, as small as it can be.

The recorded teacher and the test servers stand on it, so that the network path of a keyless run is the
path of a real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tasks.teacher.tokens import tokens

Handler = Callable[[dict[str, Any]], Awaitable[web.StreamResponse]]


def completion(
    text: str, model: str, prompt: str, finish: str = "stop", calls: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """The body of a chat completion, with the tool calls it makes; tokens are an estimate."""
    usage = {"prompt_tokens": tokens(prompt), "completion_tokens": tokens(text)}
    usage["total_tokens"] = sum(usage.values())
    said = {"role": "assistant", "content": text} | ({"tool_calls": list(calls)} if calls else {})
    choice = {"index": 0, "message": said, "finish_reason": "tool_calls" if calls else finish}
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [choice],
        "usage": usage,
    }


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    plain = {"error": {"message": message, "type": code, "code": code}}
    return web.json_response(plain, status=status, headers=headers)


def asked_schema(body: dict[str, Any]) -> str:
    """The name of the schema that a request asks for; empty for a free answer."""
    return (body.get("response_format") or {}).get("json_schema", {}).get("name", "")


def texts(body: dict[str, Any]) -> list[str]:
    """The content of each message of a request."""
    return [m["content"] if isinstance(m.get("content"), str) else "" for m in body["messages"]]


class ChatServer:
    """A chat endpoint on a free loopback port; `url` is its base URL while the block runs."""

    def __init__(self, answer: Handler, model: str, tls: SSLContext | None = None) -> None:
        self.answer, self.model, self.tls = answer, model, tls
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_routes(self.routes())
        self.runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0, backlog=1024, ssl_context=self.tls)
        await site.start()
        self.url = f"http{'s' if self.tls else ''}://127.0.0.1:{self.runner.addresses[0][1]}/v1"
        return self

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/chat/completions", self.chat), web.get("/v1/models", self.models)]

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.runner.cleanup()

    async def chat(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
            body["messages"][0]["role"]
        except (ValueError, KeyError, IndexError, TypeError):
            return error(400, "invalid_request_error", "expected a chat completion request")
        return await self.answer(body)

    async def models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": self.model, "object": "model"}]})


async def forever(server: ChatServer) -> None:
    """Serve until cancelled; prints the address."""
    async with server:
        print(server.url, flush=True)
        await asyncio.Event().wait()
