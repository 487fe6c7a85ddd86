"""The call engine: a request goes out, an answer comes back, whatever the network does in between.

The openai SDK gives endpoints, keys and transport (aiohttp, its own retries off); this file gives the
policy: store first, one call for one question however many ask it at once, the limiter, the budget, and
after each attempt what its outcome class demands.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import urlsplit

from tasks.recipe import Endpoint
from tasks.teacher.budget import Purse, cost
from tasks.teacher.count import Count
from tasks.teacher.dialect import Dialect
from tasks.teacher.limits import Limiter
from tasks.teacher.outcomes import Reply, Verdict, of_body, of_break, of_status
from tasks.teacher.store import CallStore, Stored, call_key

DEAD_AFTER = 12
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SHORTEST_SECRET = 8  # local servers take any word as a key; such a word is no secret, and stands in honest texts


class TeacherUnusable(Exception):
    """No call can succeed until somebody mends something; `hint` says what."""

    def __init__(self, what: str, where: str = "", hint: str = "") -> None:
        super().__init__(f"{what}; {hint}" if hint else what)
        self.what, self.where, self.hint = what, where, hint


class NoAnswer(Exception):
    """This question gets no usable answer; `reason` is the drop's name."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


class Unanswered(Exception):
    """Every attempt failed in passing: the record waits for the next run."""


HINTS = {
    "http_401": "set {key} to a key that {url} accepts",
    "invalid_api_key": "set {key} to a key that {url} accepts",
    "http_403": "the key in {key} may not use {model} at {url}",
    "http_404": "check base_url ({url}) and model ({model}) in the recipe",
    "model_not_found": "{url} has no model {model}; set teacher.model",
    "http_402": "top up the account behind {key}, or name another endpoint",
    "insufficient_quota": "top up the account behind {key}, or name another endpoint",
    "billing_not_active": "top up the account behind {key}, or name another endpoint",
    "unreachable": "is {url} up? set teacher.base_url or OPENAI_BASE_URL",
}


class Engine:
    """One endpoint at work: async context manager; `call` is safe from any number of tasks at once.

    `backoff` is about how many seconds the first retry waits; each further one waits twice as long.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        store: CallStore,
        purse: Purse,
        url: str,
        identity: str,
        key: str,
        backoff: float = 0.75,
    ) -> None:
        self.endpoint, self.store, self.purse, self.url, self.identity = endpoint, store, purse, url, identity
        self.key, self.backoff = key, backoff
        parts = urlsplit(url)
        self.named = parts._replace(query="").geturl()
        self.local = parts.hostname in LOOPBACK
        self.limiter = Limiter(endpoint.max_in_flight, endpoint.rpm, endpoint.tpm)
        self.asking: dict[str, asyncio.Future[Stored]] = {}
        self.failed_in_a_row = 0
        self.dead: TeacherUnusable | None = None
        self.chance = Random(0)
        self.dialect = Dialect()

    async def __aenter__(self) -> Engine:
        import httpx2
        import openai

        self.openai, self.raw = openai, httpx2.Response
        self.client = openai.AsyncOpenAI(
            api_key=self.key,
            base_url=self.url,
            max_retries=0,
            timeout=self.endpoint.timeout,
            http_client=openai.DefaultAioHttpClient(
                follow_redirects=False,
                timeout=self.endpoint.timeout,
                trust_env=not self.local,  # a proxy does not reach this machine's loopback
            ),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

    async def call(self, body: dict[str, Any], sample: int, count: Count) -> Reply:
        """The answer to a request.

        Raises NoAnswer, Unanswered, BudgetReached or TeacherUnusable.
        """
        body = {"model": self.endpoint.model, **body}
        key = call_key(self.identity, body, sample)
        known = self.store.get(key)
        while key in self.asking and not (known and known.answers(body["max_tokens"])):  # it may ask for less
            known = await asyncio.shield(self.asking[key])
        if known and known.answers(body["max_tokens"]):
            self.hit(count)
            return given(known, hit=True)
        waiting = self.asking[key] = asyncio.get_running_loop().create_future()
        waiting.add_done_callback(lambda f: f.cancelled() or f.exception())
        try:
            call = await self.attempts(key, body, count)
            waiting.set_result(call)
        except BaseException as fault:
            waiting.set_exception(fault if isinstance(fault, Exception) else Unanswered("interrupted"))
            raise
        finally:
            del self.asking[key]
        return given(call)

    def hit(self, count: Count) -> None:
        count.hits += 1
        self.purse.spent.hits += 1

    async def attempts(self, key: str, body: dict[str, Any], count: Count) -> Stored:
        """Attempts until one ends the call."""
        tried, throttled, patience = 0, 0, self.endpoint.patience
        expected = len(json.dumps(body["messages"], ensure_ascii=False)) // 3 + body["max_tokens"] // 4
        while True:
            async with self.limiter.slot(expected, self.worth_waiting):
                self.purse.reserve()
                count.calls += 1
                started = time.monotonic()
                sent = self.dialect.spoken(body)
                verdict, reply = await self.attempt(sent)
                latency = time.monotonic() - started
            if reply:
                usd = cost(reply.prompt_tokens, reply.response_tokens, self.endpoint.price)
                for counted in (count, self.purse.spent):
                    counted.settle(reply.prompt_tokens, reply.response_tokens, usd)
            if verdict.name == "refused_by_endpoint":
                self.dialect.learn(verdict.said)
                if self.dialect.spoken(body) != sent:
                    continue
            if verdict.kind in ("good", "final"):
                self.failed_in_a_row = 0
                at = datetime.now(UTC).isoformat(timespec="milliseconds")
                request = json.dumps(body, ensure_ascii=False)
                empty = Reply(verdict.said)
                call = Stored(key, verdict.name, body["max_tokens"], latency, at, request, reply or empty)
                if verdict.name != "not_recorded":
                    self.store.put(call)
                return call
            if verdict.kind == "stop":
                self.stop(verdict)
            if verdict.kind == "throttled":
                throttled += 1  # a server that asks for too little, again and again, is believed less and less
                pause = max(verdict.wait or 0, self.pause(throttled - 4 if verdict.wait else throttled))
                patience -= pause
                self.limiter.hold(pause)
                if patience < 0:
                    raise Unanswered(f"{self.named} kept limiting the rate")
                continue
            tried += 1
            if verdict.name != "empty_answer":
                self.failed(verdict)
            if tried >= self.endpoint.attempts or (verdict.wait or 0) > patience:
                if verdict.name == "empty_answer":
                    raise NoAnswer("empty_answer")
                if self.failed_in_a_row >= DEAD_AFTER:
                    self.stop(Verdict("stop", "unreachable", f"{verdict.name}: {verdict.said}"))
                raise Unanswered(f"{verdict.name} {verdict.said}")
            await asyncio.sleep(max(verdict.wait or 0, self.pause(tried)))

    def pause(self, nth: int) -> float:
        """Seconds before another attempt: doubled each time, and never the same for two callers."""
        return min(30, self.backoff * 2 ** (nth - 1)) * self.chance.uniform(0.67, 1.33)

    def worth_waiting(self) -> None:
        """Raises what makes it useless to wait for a turn."""
        if self.dead:
            raise self.dead
        if self.limiter.held > self.endpoint.patience:
            raise Unanswered(f"{self.named} wants no calls for another {self.limiter.held:.0f} s")
        self.purse.check()

    def failed(self, verdict: Verdict) -> None:
        """After as many failures in a row as fit in flight all wait; after `attempts` such waves nobody calls."""
        self.failed_in_a_row += 1
        waves, rest = divmod(self.failed_in_a_row, max(DEAD_AFTER, self.endpoint.max_in_flight))
        if rest == 0 and waves >= self.endpoint.attempts:
            self.stop(Verdict("stop", "unreachable", f"{self.failed_in_a_row} calls in a row failed: {verdict.name}"))
        elif rest == 0:
            self.limiter.hold(self.pause(waves))

    async def attempt(self, body: dict[str, Any]) -> tuple[Verdict, Reply | None]:
        """One request, classified; what is said of it never holds the key, whatever the endpoint echoes."""
        try:
            # the SDK's typed method walks through every message to rename nothing: half of a call's CPU time
            raw = await self.client.post("/chat/completions", body=body, cast_to=self.raw)
            verdict, reply = of_body(raw.text)
        except self.openai.APIStatusError as fault:
            headers = {k.lower(): v for k, v in fault.response.headers.items()}
            verdict, reply = of_status(fault.status_code, fault.response.text, headers), None
        except self.openai.APIConnectionError as fault:
            verdict, reply = of_break(fault, self.endpoint.timeout), None
        if len(self.key) > SHORTEST_SECRET:
            verdict = replace(verdict, said=verdict.said.replace(self.key, "[key]"))
        return verdict, reply

    def stop(self, verdict: Verdict) -> None:
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
    return replace(call.reply, hit=hit)
