"""The teacher as a step sees it: `ask` for a text, `ask_json` for an answer in a schema."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from tasks.poured import poured
from tasks.prompt import Filled, load
from tasks.recipe import Endpoint
from tasks.record import Message, turn
from tasks.teacher.budget import Purse
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer
from tasks.teacher.escapes import doubled
from tasks.teacher.outcomes import Reply
from tasks.teacher.request import Shared

Shape = TypeVar("Shape", bound=BaseModel)
Answer = TypeVar("Answer")
VERDICT_TOKENS = 1024


class Answerer(Protocol):
    """What a teacher's questions go to: an `Engine`, or what stands in for one in a plan (`Planner`)."""

    endpoint: Endpoint
    identity: str
    named: str
    purse: Purse

    async def call(
        self, body: dict[str, Any], sample: int, count: Count, stage: str = "", record: str = ""
    ) -> Reply: ...

    async def flush(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Teacher:
    """An engine, the stage that asks it and for which record (a prompt's id), and what its calls come to.

    `others` are the engines of all endpoints by the recipe's names for them; a technique that asks several declares
    theirs in `asks`.
    """

    engine: Answerer
    count: Count = field(default_factory=Count)
    stage: str = ""
    record: str = ""
    others: Mapping[str, Answerer] = field(default_factory=dict)

    def about(self, record: str) -> Teacher:
        """The same for another record: `replace`, in a tenth of the time."""
        return teacher_of(self.engine, self.count, self.stage, record, self.others)

    def named(self, who: str) -> Teacher:
        """The endpoint of that name, asked for the same record and on the same count."""
        return replace(self, engine=self.others[who])

    @property
    def model(self) -> str:
        return self.engine.endpoint.model or ""

    @property
    def licence(self) -> str:
        return self.engine.endpoint.licence

    async def ask(
        self, sent: Filled, temperature: float, max_tokens: int, sample: int = 0, tools: Sequence[Any] = ()
    ) -> Reply:
        """A text, or calls of the declared tools. Raises what `Engine.call` raises."""
        body = {"messages": wire(sent.messages), "temperature": temperature, "max_tokens": max_tokens}
        body |= {"tools": list(tools)} if tools else {}
        return await self.engine.call(body, sample, self.count, self.stage, self.record)

    async def ask_json(
        self,
        sent: Filled,
        shape: type[Shape],
        language: str,
        temperature: float = 0.0,
        max_tokens: int = VERDICT_TOKENS,
        reasks: int = 1,
        sample: int = 0,
    ) -> tuple[Shape | None, Reply]:
        """An answer in the shape of a pydantic model, or None where no reply could be read, and the last reply.

        The schema's name is the model's name in lower case. A reply that does not fit is asked again, at
        most `reasks` times, with what was wrong with it; each such call has a key of its own. `sample` tells apart
        questions in the same words that are to get answers of their own.
        """
        messages, left = sent.messages, reasks
        while True:
            body: dict[str, Any] = {
                "messages": wire(messages),
                "temperature": temperature,
                "max_tokens": max_tokens,
                **self.format(shape),
            }
            reply = await self.engine.call(body, sample, self.count, self.stage, self.record)
            read, fault = parse(reply.text, shape)
            if read is not None or left <= 0:
                return read, reply
            left -= 1
            again = load("reask", language).fill({"so_far": (*messages, Message("assistant", reply.text))}, fault=fault)
            messages = again.messages

    def format(self, shape: type[BaseModel]) -> dict[str, Any]:
        """How JSON is asked for. `auto` asks by the schema, which is what the call's key and the store know; where the
        endpoint does not take it, the engine sends the same call in a form that it takes (`Dialect`). So the key does
        not depend on what is found out, or when."""
        how = self.engine.endpoint.structured
        if how in ("auto", "json_schema"):
            return {"response_format": schema_of(shape)}
        return {"response_format": {"type": "json_object"}} if how == "json_object" else {}


teacher_of = poured(Teacher)


async def together(asked: Iterable[Awaitable[Answer]]) -> list[Answer | NoAnswer]:
    """Several questions at once, in their order; one that ends without an answer is given as that, the rest go on.

    Raises what ends a run (a budget, an endpoint that is out)."""
    found = await asyncio.gather(*asked, return_exceptions=True)  # none of them goes on behind the caller's back
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, NoAnswer):
            raise one
    return [one for one in found if not isinstance(one, BaseException) or isinstance(one, NoAnswer)]


def wire(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Messages as the API takes them: only the fields that say something, and never our own."""
    return [settled(m) if m.role == "system" else said(m) for m in messages]


@lru_cache(maxsize=64)
def settled(message: Message) -> Shared:
    """A system turn, which stands in many requests."""
    return Shared(said(message))


def said(message: Message) -> dict[str, Any]:
    if message.role and not (message.tool_calls or message.tool_call_id or message.name):
        return {"role": message.role, "content": message.content}
    own = ("trained", "reasoning_content")
    return {k: v for k, v in turn(message).items() if (v or k == "content") and k not in own}


def parse(text: str, shape: type[Shape]) -> tuple[Shape | None, str]:
    """The reply as a model, or None and a sentence that says what is wrong with it."""
    text = doubled(text.strip())
    try:
        return shape.model_validate_json(text), ""
    except ValidationError as faults:
        fault = faults.errors()[0]
        if fault["type"] == "json_invalid":
            inner = only_object(text)
            return parse(inner, shape) if inner and inner != text else (None, "not JSON")
        return None, ": ".join([*filter(None, [".".join(map(str, fault["loc"]))]), fault["msg"]])


def only_object(text: str) -> str:
    """The one JSON object that a text ends in, after a preface or in a fence. Empty where there is none, where it is
    cut, where braces stand before it, or words after it: it may then be quoted from a text that is hostile."""
    start = text.find("{")
    try:
        _, end = json.JSONDecoder().raw_decode(text, max(start, 0))
    except (ValueError, RecursionError):
        return ""
    return text[start:end] if start >= 0 and text[end:].strip() in ("", "```") else ""


@cache
def schema_of(shape: type[BaseModel]) -> Shared:
    """The answer's form by the JSON schema of a shape, made once: pydantic takes a quarter of a millisecond for it."""
    schema = {"name": shape.__name__.lower(), "schema": strict(shape.model_json_schema()), "strict": True}
    return Shared({"type": "json_schema", "json_schema": schema})


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema as strict endpoints want it: no other fields, all of them required, in nested objects too."""
    nested = {name: strict(one) if "properties" in one else one for name, one in schema.get("$defs", {}).items()}
    whole = schema | ({"$defs": nested} if nested else {})
    return whole | {"additionalProperties": False, "required": list(schema.get("properties", {}))}
