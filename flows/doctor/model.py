"""Does the model answer: address, key, price, and one tiny call to each endpoint, in JSON as a run asks for it.

The call goes through the engine that a run uses, with a store of its own that is gone afterwards: the dataset is
not touched, and the tokens are counted and told.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import getproxies

from pydantic import BaseModel

from flows.doctor.checked import Checked, ok, problem, warning
from tasks.prompt import load
from tasks.recipe import Endpoint, Recipe, RecipeError
from tasks.teacher.ask import Teacher
from tasks.teacher.budget import Purse
from tasks.teacher.connect import engines
from tasks.teacher.embed import EMBEDDINGS, EmbeddingEngine
from tasks.teacher.endings import NoAnswer, TeacherUnusable, Unanswered
from tasks.teacher.endpoints import address, check
from tasks.teacher.engine import Engine
from tasks.teacher.prices import price_of

SHORT = {"attempts": 1, "patience": 5.0, "batch": None}
WAIT = 30.0


class Ready(BaseModel):
    """What the model is asked for."""

    ready: bool


def model(recipe: Recipe, call: bool, purse: Purse) -> Iterator[Checked]:
    """`purse` counts what the calls cost."""
    try:
        check(recipe)
    except RecipeError as fault:
        yield problem("teacher", fault.what, fault.hint or f"mend {fault.where}")
        return
    asked: list[Endpoint] = []
    for role, endpoint in recipe.endpoints.items():
        if endpoint in asked:
            continue
        asked.append(endpoint)
        if endpoint.recorded:
            yield ok(role, f"recorded answers in {endpoint.recorded}; nobody is called")
            continue
        yield ok(role, f"{endpoint.model} at {urlsplit(address(endpoint)).hostname}; {endpoint.api_key_env} is set")
        yield priced(role, endpoint)
        if (found := resolved(role, endpoint)).state != "ok" or not call:
            yield found
            continue
        yield from asyncio.run(called(recipe, role, endpoint, purse))


def priced(role: str, endpoint: Endpoint) -> Checked:
    price = price_of(endpoint, address(endpoint))
    if price is None:
        return ok(role, "no price in the recipe, nor a public one: calls and tokens are counted, money is not")
    return ok(role, f"USD {price.input:g} in and {price.output:g} out for a million tokens")


def resolved(role: str, endpoint: Endpoint) -> Checked:
    """Whether the host has an address; behind a proxy only the proxy needs to know it."""
    parts = urlsplit(address(endpoint))
    try:
        if parts.scheme not in getproxies():
            socket.getaddrinfo(parts.hostname, parts.port or 443)
    except OSError:
        where = f"{role}.base_url" if os.environ.get("OPENAI_BASE_URL") != endpoint.base_url else "OPENAI_BASE_URL"
        return problem(role, f"there is no host {parts.hostname}", f"check {where}, or this machine's network")
    return ok(role, f"{parts.hostname} has an address")


async def called(recipe: Recipe, role: str, endpoint: Endpoint, purse: Purse) -> list[Checked]:
    """One call, and what it says of the model and of its JSON."""
    short = endpoint.model_copy(update=SHORT | {"timeout": min(endpoint.timeout, WAIT)})
    known = Recipe(teacher=short, embeddings=short if role == EMBEDDINGS else None, card_language=recipe.card_language)
    before = (purse.spent.tokens_in, purse.spent.tokens_out)
    with TemporaryDirectory(prefix="flywheel-doctor-") as made:
        async with engines(known, Path(made) / "calls.sqlite", purse) as at_work:
            engine = at_work[EMBEDDINGS if role == EMBEDDINGS else "teacher"]
            try:
                found = await told(role, engine, recipe.card_language)
            except TeacherUnusable as fault:
                return [problem(role, fault.what, fault.hint)]
            except Unanswered as fault:
                return [problem(role, f"no answer: {fault}", f"is {engine.named} up? try again")]
            except NoAnswer as none:
                return [refused(role, none)]
    spent = f"{purse.spent.tokens_in - before[0]} tokens in, {purse.spent.tokens_out - before[1]} out"
    return [ok(role, f"it answers (one call, {spent})"), found]


async def told(role: str, engine: Engine, language: Literal["en", "zh"]) -> Checked:
    """What the answer to one call is good for. Raises what the call raises."""
    sent = load("doctor/ready", language).fill()
    if isinstance(engine, EmbeddingEngine):
        (vector,) = await engine.embed([sent.messages[-1].content])
        return ok(role, f"it gives vectors in {len(vector)} dimensions")
    read, _ = await Teacher(engine).ask_json(sent, Ready, language, reasks=0)
    if read is None:
        hint = f"set {role}.structured to json_object or text, or name a model that can give JSON"
        return problem(role, "its answer is not the JSON that was asked for", hint)
    form = engine.dialect.form if engine.dialect.detects else engine.endpoint.structured
    return ok(role, f"it gives JSON ({form})")


def refused(role: str, none: NoAnswer) -> Checked:
    detail = f": {none.detail}" if none.detail else ""
    if none.reason == "truncated":
        return warning(
            role, "it answers, and spends more tokens on reasoning than a verdict may have", "see answer.max_tokens"
        )
    hint = f"set {role}.structured to json_object or text, and check {role}.model"
    return problem(role, f"it gives no answer that can be used ({none.reason}{detail})", hint)
