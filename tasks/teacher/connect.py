"""From the recipe to engines at work: keys from the environment, one engine for each endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tasks.recipe import Endpoint, Recipe, located
from tasks.shard import sha256
from tasks.teacher.budget import Purse
from tasks.teacher.endpoints import RECORDED, address, api_key, check, roles
from tasks.teacher.engine import Engine
from tasks.teacher.prices import price_of
from tasks.teacher.recorded import recorded_teacher
from tasks.teacher.store import CallStore
from tasks.teacher.tiers import FALLBACK


@asynccontextmanager
async def engines(
    recipe: Recipe, calls: Path, purse: Purse, run: str = "", notice: Callable[[str], object] = str
) -> AsyncIterator[dict[str, Engine]]:
    """An engine for each role and tier, and that of the fallback again under its name; equal endpoints share one.

    `run` names the run in the store: what earlier tries of it spent counts towards the caps. `notice` is told when an
    endpoint goes away or is back.
    """
    check(recipe)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(CallStore(calls, run))
        purse.begin(store.spent())
        made: dict[str, Engine] = {}
        for role, endpoint in roles(recipe).items():
            twin = next((e for r, e in made.items() if roles(recipe)[r] == endpoint), None)
            made[role] = twin or await stack.enter_async_context(
                await engine(patient(endpoint, recipe), store, purse, stack, notice)
            )
        yield made | ({FALLBACK: made[recipe.fallback]} if recipe.fallback else {})


def patient(endpoint: Endpoint, recipe: Recipe) -> Endpoint:
    """The endpoint, not waited for through an outage where a fallback can stand in, unless the recipe says so."""
    stands_in = recipe.fallback and endpoint != roles(recipe)[recipe.fallback]
    return endpoint.model_copy(
        update={"outage": 0.0} if stands_in and "outage" not in endpoint.model_fields_set else {}
    )


async def engine(
    endpoint: Endpoint, store: CallStore, purse: Purse, stack: AsyncExitStack, notice: Callable[[str], object] = str
) -> Engine:
    """An engine, not yet entered. A recorded endpoint gets its server, on loopback, for as long as the stack."""
    if endpoint.recorded:
        path = located(endpoint.recorded)
        server = await stack.enter_async_context(recorded_teacher(path))
        named = endpoint.model_copy(update={"model": RECORDED})
        return Engine(named, store, purse, server.url, f"recorded:{sha256(path)}", "recorded")
    url = address(endpoint)
    priced = endpoint.model_copy(update={"price": price_of(endpoint, url)})
    return Engine(priced, store, purse, url, url.rstrip("/"), api_key(endpoint), notice=notice)
