"""The engine of a plan: it answers like an engine, sends nothing, and counts what a run would send.

What the call store holds is known exactly: it is a hit and its reply goes on to the later stages. For any other
call a reply is taken from a like one that the store holds (same stage, model and schema), once there are enough
of them: so a plan has the lengths, the labels and the share of odd replies that this teacher really has. Until
then replies are invented (`invented.py`), at the lengths that answers and remarks were found to have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tasks.recipe import Endpoint
from tasks.teacher.budget import Purse, cost
from tasks.teacher.count import Count
from tasks.teacher.engine import given
from tasks.teacher.invented import Asked, Supposed
from tasks.teacher.known import Known
from tasks.teacher.outcomes import Reply
from tasks.teacher.request import call_key, request_of
from tasks.teacher.store import Stored
from tasks.teacher.tokens import prompt_tokens, tokens

ENOUGH = 20  # like calls from which others are drawn
ANSWER = 130  # tokens, as the recorded answers have; more where those in the log are longer
REMARK = 32  # tokens of a sentence or two, as a judge gives for its reason
ANSWERS = "answer"  # the stage whose free texts are answers


@dataclass(frozen=True, slots=True)
class Drawn:
    """Like calls, and how many prompt tokens there are to one of our estimate."""

    calls: tuple[Stored, ...] = ()
    factor: float = 1.0


class Planner:
    """One endpoint that is not asked. `where` is its field in the recipe; `typical` the tokens of an
    answer in the log."""

    def __init__(self, endpoint: Endpoint, identity: str, where: str, known: Known, typical: int = 0) -> None:
        # every shape is asked for by its schema, whatever the endpoint takes, so that a reply can fit it
        self.endpoint = endpoint.model_copy(update={"structured": "json_schema"})
        self.structured = endpoint.structured
        self.identity, self.where, self.known, self.purse = identity, where, known, Purse()
        self.named, self.typical = where, max(ANSWER, typical)
        self.guessed = 0  # calls whose replies are invented
        self.example: Callable[[Asked], Supposed] | None = None  # how the step at work supposes a reply of its own
        self.awaited = frozenset[str]()  # task types that later steps take alone
        self.references: Mapping[str, str] = {}  # right answers by the records that the step at work asks about
        self.seen: dict[str, Stored] = {}
        self.like: dict[str, Drawn] = {}

    async def flush(self) -> None:
        """Nothing is kept."""

    async def call(self, body: dict[str, Any], sample: int, count: Count, stage: str = "", record: str = "") -> Reply:
        """The stored answer, or one that might be given. Raises NoAnswer where such a call ends without one."""
        asked = self.spoken({"model": self.endpoint.model, **body})
        key = call_key(self.identity, request_of(asked), sample)
        call = self.seen.get(key) or self.known.get(key)
        hit = bool(call and call.answers(body["max_tokens"]))
        if not call or not hit:
            call = self.seen[key] = self.supposed(key, asked, body, stage, record)
        came_to = Count(hits=1) if hit else self.price(call.reply)
        count.calls, count.hits = count.calls + came_to.calls, count.hits + came_to.hits
        count.settle(came_to.tokens_in, came_to.tokens_out, came_to.usd)
        self.purse.spent += came_to
        return given(call, hit)

    def spoken(self, body: dict[str, Any]) -> dict[str, Any]:
        """The request as this endpoint gets it: its key is the one that a run's call has."""
        if self.structured in ("auto", "json_schema") or "response_format" not in body:
            return body
        rest = {k: v for k, v in body.items() if k != "response_format"}
        return rest | ({"response_format": {"type": "json_object"}} if self.structured == "json_object" else {})

    def price(self, reply: Reply) -> Count:
        usd = cost(reply.prompt_tokens, reply.response_tokens, self.endpoint.price)
        return Count(1, 0, reply.prompt_tokens, reply.response_tokens, usd)

    def supposed(self, key: str, asked: dict[str, Any], body: dict[str, Any], stage: str, record: str) -> Stored:
        """A call as it might end."""
        schema, chance, limit = schema_of(body), Random(key), body["max_tokens"]
        like = self.alike(stage, asked, schema)
        sent = round(prompt_tokens(asked) * like.factor)
        if like.calls:
            drawn = chance.choice(like.calls)
            return replace(drawn, key=key, reply=replace(drawn.reply, prompt_tokens=sent))
        self.guessed += 1
        length = self.typical if stage == ANSWERS else REMARK
        about = {"awaited": self.awaited, "reference": self.references.get(record, "")}
        reply = self.invented(replace(question(body, length, chance), **about))
        reply = replace(reply, prompt_tokens=sent, response_tokens=min(reply.response_tokens, limit))
        return Stored(key, "good", limit, 0.0, "", "", reply)

    def invented(self, asked: Asked) -> Reply:
        """A reply as the step at work supposes it, else any of the shape."""
        said = self.example(asked) if self.example else None
        if isinstance(said, dict):
            said = json.dumps(said, ensure_ascii=False)
        reply = said if isinstance(said, Reply) else Reply(asked.reply() if said is None else said)
        called = sum(tokens(call["name"]) + tokens(call["arguments"]) for call in reply.tool_calls)
        return replace(reply, response_tokens=tokens(reply.text) + called)

    def alike(self, stage: str, asked: dict[str, Any], schema: dict[str, Any] | None) -> Drawn:
        """Calls of a stage that asked this model for the same shape."""
        shape = json.dumps([stage, schema], sort_keys=True)
        if shape not in self.like:
            known = [(json.loads(call.request), call) for call in self.known.latest(stage)]
            same = [(r, c) for r, c in known if r["model"] == asked["model"] and fits(r, c, asked, schema)]
            estimated, counted = sum(prompt_tokens(r) for r, _ in same), sum(c.reply.prompt_tokens for _, c in same)
            enough = len(same) >= ENOUGH
            self.like[shape] = Drawn(tuple(c for _, c in same), counted / estimated) if enough else Drawn()
        return self.like[shape]


def question(body: dict[str, Any], length: int, chance: Random) -> Asked:
    """A request as a step sees it that supposes the reply."""
    texts, schema = tuple(str(m.get("content") or "") for m in body["messages"]), schema_of(body)
    shape = body["response_format"]["json_schema"]["name"] if schema else ""
    return Asked(texts, length, chance, shape, schema, tuple(body.get("tools") or ()))


def schema_of(body: dict[str, Any]) -> dict[str, Any] | None:
    shape = body.get("response_format")
    return shape["json_schema"]["schema"] if shape else None


def fits(request: dict[str, Any], call: Stored, asked: dict[str, Any], schema: dict[str, Any] | None) -> bool:
    """Whether a call asked for the same shape and was counted; by the reply's fields where no request names a shape."""
    if request.get("response_format") != asked.get("response_format") or not call.reply.prompt_tokens:
        return False
    try:
        said = json.loads(call.reply.text)
    except (ValueError, RecursionError):
        said = None
    fields = said.keys() if isinstance(said, dict) else None
    if schema is None or fields is None:
        return schema is None and fields is None
    return schema.get("properties", {}).keys() <= fields
