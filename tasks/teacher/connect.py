"""From the recipe to engines at work: keys from the environment, one engine for each endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tasks.recipe import Endpoint, Recipe, located
from tasks.shard import sha256
from tasks.teacher.batch import BatchEngine
from tasks.teacher.budget import Purse
from tasks.teacher.embed import EMBEDDINGS, EmbeddingEngine
from tasks.teacher.endpoints import RECORDED, address, api_key, check, recordings, roles
from tasks.teacher.engine import Engine
from tasks.teacher.known import Known
from tasks.teacher.planner import Planner
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
            kind = transport(role, endpoint)
            twin = next((e for r, e in made.items() if roles(recipe)[r] == endpoint and type(e) is kind), None)
            made[role] = twin or await stack.enter_async_context(
                await engine(kind, patient(endpoint, recipe), store, purse, stack, notice)
            )
        yield made | ({FALLBACK: made[recipe.fallback]} if recipe.fallback else {})


def transport(role: str, endpoint: Endpoint) -> type[Engine]:
    if role == EMBEDDINGS:
        return EmbeddingEngine
    return BatchEngine if endpoint.batch and not endpoint.recorded else Engine


def patient(endpoint: Endpoint, recipe: Recipe) -> Endpoint:
    """The endpoint, not waited for through an outage where a fallback can stand in, unless the recipe says so."""
    stands_in = recipe.fallback and endpoint != roles(recipe)[recipe.fallback]
    return endpoint.model_copy(
        update={"outage": 0.0} if stands_in and "outage" not in endpoint.model_fields_set else {}
    )


async def engine(
    kind: type[Engine],
    endpoint: Endpoint,
    store: CallStore,
    purse: Purse,
    stack: AsyncExitStack,
    notice: Callable[[str], object] = str,
) -> Engine:
    """An engine, not yet entered. A recorded endpoint gets its server, on loopback, for as long as the stack."""
    known, identity = identified(endpoint)
    if endpoint.recorded:
        server = await stack.enter_async_context(recorded_teacher(located(endpoint.recorded)))
        return kind(known, store, purse, server.url, identity, "recorded")
    return kind(known, store, purse, address(endpoint), identity, api_key(endpoint), notice=notice)


@asynccontextmanager
async def joining(
    endpoint: Endpoint, beside: Engine, learnt: str, notice: Callable[[str], object] = str
) -> AsyncIterator[Engine]:
    """An engine for an endpoint that came up during the run, on the store and the purse of another.

    `learnt` names what its model was trained on: answers of a model that learnt something else, under the same name
    and address, are not its own.
    """
    known, identity = identified(endpoint)
    at, key = address(endpoint), api_key(endpoint)
    async with Engine(known, beside.store, beside.purse, at, f"{identity}#{learnt}", key, notice=notice) as engine:
        yield engine


def identified(endpoint: Endpoint) -> tuple[Endpoint, str]:
    """The endpoint with its model and price, and the identity that its calls are stored under."""
    if endpoint.recorded:
        return endpoint.model_copy(update={"model": RECORDED}), f"recorded:{sha256(located(endpoint.recorded))}"
    url = address(endpoint)
    return endpoint.model_copy(update={"price": price_of(endpoint, url)}), url.rstrip("/")


def planners(recipe: Recipe, known: Known, typical: int) -> dict[str, Planner]:
    """What stands in for the engine of each role and tier in a plan; no key or server is needed."""
    recordings(recipe)
    fields = {role: next(w for w, e in recipe.endpoints.items() if e == end) for role, end in roles(recipe).items()}
    made = {w: Planner(*identified(recipe.endpoints[w]), w, known, typical) for w in set(fields.values())}
    return {role: made[where] for role, where in fields.items()}
