"""The call engine: a request goes out, an answer comes back, whatever the network does in between.

The openai SDK gives endpoints, keys and transport (aiohttp, its own retries off); this file gives the
policy: store first, one call for one question however many ask it at once, the limiter, the budget, and
after each attempt what its outcome class demands.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, NoReturn
from urllib.parse import urlsplit

from tasks.recipe import Endpoint
from tasks.teacher.asking import Asking
from tasks.teacher.budget import Purse, cost
from tasks.teacher.circuit import Circuit, Passage
from tasks.teacher.count import Count
from tasks.teacher.dialect import FORM, Dialect
from tasks.teacher.endings import HINTS, NoAnswer, TeacherUnusable, Unanswered
from tasks.teacher.limits import Limiter
from tasks.teacher.outcomes import Reply, Verdict, of_body, of_break, of_status, sound
from tasks.teacher.pace import Pace
from tasks.teacher.request import call_key, request_of, text_of
from tasks.teacher.sending import Senders, senders
from tasks.teacher.store import CallStore, Stored
from tasks.teacher.wire import Wire, discreet, spelt

LOOPBACK = ("localhost", "127.0.0.1", "::1")
REFUSALS = 10  # from which on an endpoint that took no call is wrong for all of them


class Engine:
    """One endpoint at work: async context manager; `call` is safe from any number of tasks at once.

    `live` says that each call goes out by itself, and is lost with who sent it.
    `backoff` is about how many seconds the first retry waits; each further one waits twice as long. `notice` is
    told, in a sentence, when the endpoint goes away and when it is back.
    """

    live = True
    path = "chat/completions"

    def __init__(
        self,
        endpoint: Endpoint,
        store: CallStore,
        purse: Purse,
        url: str,
        identity: str,
        key: str,
        backoff: float = 0.75,
        notice: Callable[[str], object] = str,
    ) -> None:
        self.endpoint, self.store, self.purse, self.url, self.identity = endpoint, store, purse, url, identity
        self.key, self.backoff = key, backoff
        parts = urlsplit(url)
        self.named = parts._replace(query="").geturl()
        self.local = parts.hostname in LOOPBACK
        self.limiter = Limiter(endpoint)
        self.pace = Pace(endpoint.timeout, 0 if endpoint.recorded else endpoint.hedge)
        self.notice = lambda said: notice(f"{endpoint.model} at {self.named}: {said}")
        self.circuit = Circuit(endpoint.outage, endpoint.attempts, backoff, self.notice)
        self.asking = store.asking
        self.dead: TeacherUnusable | None = None
        self.takes = False
        self.refusals: dict[str, Stored] = {}
        self.chance = Random(0)
        self.clock = time.monotonic
        detects = endpoint.structured == "auto"
        self.dialect = Dialect(detects, settled=not (detects and self.live))
        self.strangers: set[str] = set()

    async def __aenter__(self) -> Engine:
        self.wire: Wire | Senders = self.way()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.wire.close()

    def way(self) -> Wire | Senders:
        """How requests are sent: from this process, or by others where it would be busy with nothing else."""
        many = senders(self.endpoint)
        return Senders(many, self.told, self.notice) if many else Wire(**self.told)

    @property
    def told(self) -> dict[str, Any]:
        """What a Wire is made of."""
        known = {"url": self.url, "path": self.path, "key": self.key}
        return known | {"timeout": self.endpoint.timeout, "local": self.local}

    async def call(self, body: dict[str, Any], sample: int, count: Count, stage: str = "", record: str = "") -> Reply:
        """The answer to a request, which a stage makes for a record (a prompt's id).

        Raises NoAnswer, Unanswered, BudgetReached or TeacherUnusable.
        """
        body = {"model": self.endpoint.model, **body}
        request = request_of(body)
        key = call_key(self.identity, request, sample)
        known = self.refusals.get(key) or self.store.look_up(key)
        while key in self.asking and not (known and known.answers(body["max_tokens"])):  # it may ask for less
            known = await asyncio.shield(self.asking[key])
        if known and known.answers(body["max_tokens"]):
            count.hits += 1
            self.purse.hit(stage, body["model"] or "")
            return given(known, hit=True)
        self.purse.asked[stage, body["model"] or ""].missed += 1
        waiting = self.asking[key] = asyncio.get_running_loop().create_future()
        try:
            await self.wire.ready()  # before any clock of the call's runs
            call = await Asking(self, key, body, text_of(request), count, stage, record).answered()
            waiting.set_result(call)
        except BaseException as fault:
            waiting.set_exception(fault if isinstance(fault, Exception) else Unanswered("interrupted"))
            waiting.exception()  # there may be nobody else who waits
            raise
        finally:
            del self.asking[key]
        return given(call)

    async def flush(self) -> None:
        """Return once every answer so far is on disk."""
        self.settled()
        await self.store.flush()

    def refused(self, call: Stored) -> None:
        """A request was refused as it stands. Where an endpoint refuses one after the other and takes none, it is not
        the questions that are wrong: some say 400 to an unknown key or model. Raises TeacherUnusable."""
        if self.takes:
            self.keep(call)
            return
        self.refusals[call.key] = call
        if len(self.refusals) == REFUSALS:
            self.refusals.clear()  # none of them is the record's fault: the next run asks again
            self.stop(Verdict("stop", "refuses_all", f"it refused the first {REFUSALS} calls: {call.reply.text}"))

    def taken(self) -> None:
        """The endpoint takes calls: what it refused before, it refused for what was asked."""
        self.takes = True
        self.settled()

    def settled(self) -> None:
        for call in self.refusals.values():
            self.keep(call)
        self.refusals.clear()

    def pause(self, nth: int) -> float:
        """Seconds before another attempt: doubled each time, and never the same for two callers."""
        return min(30, self.backoff * 2 ** (nth - 1)) * self.chance.uniform(0.67, 1.33)

    @property
    def unpriced(self) -> bool:
        """Whether answers cost what nobody knows; what is recorded costs nothing."""
        return self.endpoint.price is None and not self.endpoint.recorded

    def most(self, request: str, max_tokens: int) -> Count:
        """The most that a call can come to: a token is a byte at least, and the response ends at its limit."""
        tokens_in = len(request.encode("utf-8", "surrogatepass"))
        return Count(1, 0, tokens_in, max_tokens, cost(tokens_in, max_tokens, self.endpoint.price))

    def learnt(self, verdict: Verdict, reply: Reply | None, body: dict[str, Any], sent: dict[str, Any]) -> bool:
        """Whether a refusal taught another way to put the request, or did to others meanwhile."""
        if verdict.name == "refused_by_endpoint":
            if self.dialect.spoken(body) == sent:
                self.dialect.learn(verdict.said)
            return self.dialect.spoken(body) != sent
        self.dialect.settled |= reply is not None and FORM in body
        return False

    async def turn(self, most: Count, worth_waiting: Callable[[], None]) -> Passage:
        """Leave to send a call that comes to at most `most`, in its turn; `leave` is to be called after it."""
        await self.limiter.slot(most.tokens_in // 3, most.tokens_out // 4, worth_waiting)
        try:
            return await self.circuit.passage()
        except BaseException:
            self.limiter.slots.give()
            raise

    def leave(self, passage: Passage) -> None:
        """The call has ended, or was not sent."""
        self.circuit.leave(passage)
        self.limiter.slots.give()

    async def attempt(self, body: dict[str, Any], asking: Asking) -> tuple[Verdict, Reply | None]:
        """One request, classified."""
        try:
            came = await self.wire.post(spelt(body))
            self.limiter.told(came.headers)
            good = 200 <= came.status < 300
            verdict, reply = (
                self.read(came.body, body) if good else (of_status(came.status, came.body, came.headers), None)
            )
        except self.wire.broken as fault:
            verdict, reply = of_break(fault, self.endpoint.timeout), None
        return self.discreet(verdict), reply

    def heard(self, model: str) -> None:
        """Tell once of each model that answers in the place of the one that was asked for; a router may mean well."""
        asked = (self.endpoint.model or "").rpartition("/")[2].lower()
        if not model or asked in model.lower():
            return
        name = "".join(c for c in discreet(sound(model), self.key) if c.isprintable())[:100]  # a terminal shows it
        if name not in self.strangers:
            self.strangers.add(name)
            self.notice(f"it answers as {name}")

    def read(self, came: bytes, body: dict[str, Any]) -> tuple[Verdict, Reply | None]:
        """The class of the body of a 200, for a request, and its reply."""
        return of_body(came)

    def keep(self, call: Stored) -> None:
        self.store.put(call)

    def discreet(self, verdict: Verdict) -> Verdict:
        """The verdict without the key in it, whatever the endpoint echoes."""
        said = discreet(verdict.said, self.key)
        return verdict if said == verdict.said else replace(verdict, said=said)

    def stop(self, verdict: Verdict) -> NoReturn:
        """From now on every call raises the same TeacherUnusable."""
        hint = HINTS.get(verdict.name, "see what the endpoint said")
        hint = hint.format(key=self.endpoint.api_key_env, url=self.named, model=self.endpoint.model)
        said = f": {verdict.said}" if verdict.said else ""
        self.dead = TeacherUnusable(f"the teacher cannot be used ({verdict.name}{said})", self.named, hint)
        raise self.dead


def given(call: Stored, hit: bool = False) -> Reply:
    """A stored call as a reply. Raises NoAnswer where it ended without a usable answer."""
    if call.outcome != "good":
        raise NoAnswer(call.outcome, call.reply.text[:200])
    return call.reply if call.reply.hit is hit else replace(call.reply, hit=hit)
