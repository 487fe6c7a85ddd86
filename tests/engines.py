"""The real engine and the real openai client, at a server on loopback, with retries that do not wait for long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tasks.recipe import Budget, Endpoint
from tasks.teacher.ask import Teacher
from tasks.teacher.batch import BatchEngine
from tasks.teacher.budget import Purse
from tasks.teacher.count import Count
from tasks.teacher.engine import Engine
from tasks.teacher.outcomes import Reply
from tasks.teacher.protocol import ChatServer
from tasks.teacher.store import CallStore

KEY = "sk-planted-0123456789abcdef"
IDENTITY = "tests"


@asynccontextmanager
async def engine_at(
    server: ChatServer | str,
    folder: Path,
    budget: Budget | None = None,
    key: str = KEY,
    backoff: float = 0.001,
    notice: Callable[[str], object] = str,
    **endpoint: Any,
) -> AsyncIterator[Engine]:
    """An engine at a server or an address, with a call store in a folder."""
    known = Endpoint(**{"model": "m-1", "timeout": 5, "attempts": 3, **endpoint})
    url, purse = server if isinstance(server, str) else server.url, Purse(budget or Budget())
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(CallStore(folder / "calls.sqlite"))
        transport = BatchEngine if known.batch else Engine
        yield await stack.enter_async_context(transport(known, store, purse, url, IDENTITY, key, backoff, notice))


@asynccontextmanager
async def teacher_at(server: ChatServer | str, folder: Path, **endpoint: Any) -> AsyncIterator[Teacher]:
    async with engine_at(server, folder, **endpoint) as engine:
        yield Teacher(engine)


async def ask(engine: Engine, text: str, max_tokens: int = 100, sample: int = 0, count: Count | None = None) -> Reply:
    """One question in one message."""
    body = {"messages": [{"role": "user", "content": text}], "temperature": 0.0, "max_tokens": max_tokens}
    return await engine.call(body, sample, count or Count())
