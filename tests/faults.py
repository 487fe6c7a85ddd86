"""The faults server: a chat endpoint that goes wrong where and how it is told to, and counts what a client does.

It stands on the protocol of the recorded teacher, and answers as the model that is asked for unless it is given a name.
`answer` says what a request gets when all is well, from its body; `script` says what goes wrong instead, from the
request's number or from what it asks:

    script = in_order(rate_limited(seconds=0.1), None, reset)     # the first, the second, the third request
    script = asked({"bread": [hang, no_choices]})                 # the first and second ask about bread
    async with FaultsServer(script=script) as server:
        ...                                                       # a client at server.url
    assert server.paid_twice == server.early == 0
"""

from __future__ import annotations

import asyncio
import json
import math
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tasks.teacher.protocol import ChatServer, asked_schema, completion, error, texts
from tasks.teacher.tokens import tokens

Body = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A request as it came in: its number among all (from 0), and among those that ask the same."""

    number: int
    nth: int
    at: float
    body: Body
    headers: Mapping[str, str]

    @property
    def prompt(self) -> str:
        """What is asked: the last message."""
        return texts(self.body)[-1] if "messages" in self.body else self.body["input"][-1]


@dataclass(frozen=True)
class Fault:
    """A way to go wrong, given the request and the completion that it would have got; `wait` is what it asks for."""

    respond: Callable[[web.Request, Body], Awaitable[web.StreamResponse]]
    wait: float = 0.0


Script = Callable[[Call], Fault | None]


class FaultsServer(ChatServer):
    """A chat endpoint on loopback with a script of faults; its counters are read while it runs or afterwards."""

    def __init__(
        self,
        answer: Callable[[Body], str] = lambda body: f"an answer to: {texts(body)[-1]}",
        script: Script = lambda call: None,
        latency: float = 0.0,
        model: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(self.respond, model, tls)
        self.text, self.script, self.latency = answer, script, latency
        self.calls: list[Call] = []
        self.in_flight = self.most_in_flight = self.early = 0
        self.answered: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.not_before: dict[str, float] = {}

    @property
    def per_prompt(self) -> Counter[str]:
        """Calls by what they ask."""
        return Counter(call.prompt for call in self.calls)

    @property
    def paid_twice(self) -> int:
        """Good answers beyond the first to one and the same request."""
        return self.answered.total() - len(self.answered)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            call = self.counted(await request.json(), request.headers)
            await asyncio.sleep(self.latency)
            return await self.replied(request, call) or await super().chat(request)
        finally:
            self.in_flight -= 1

    async def replied(self, request: web.Request, call: Call) -> web.StreamResponse | None:
        """What goes wrong, where something does."""
        fault = self.script(call)
        if fault and fault.wait:
            self.not_before[same(call.body)] = time.monotonic() + fault.wait
        return await fault.respond(request, self.completion(call.body)) if fault else None

    async def respond(self, body: Body) -> web.StreamResponse:
        """A good answer; counted when it is on its way."""
        self.answered[same(body)] += 1
        return web.json_response(self.completion(body))

    def routes(self) -> list[web.RouteDef]:
        return [*super().routes(), web.post("/v1/embeddings", self.embed)]

    async def embed(self, request: web.Request) -> web.StreamResponse:
        call = self.counted(await request.json(), request.headers)
        return await self.replied(request, call) or await self.respond(call.body)

    def completion(self, body: Body) -> Body:
        if "input" in body:
            return embedded(body)
        return completion(self.text(body), self.model or body.get("model", ""), "\n".join(texts(body)))

    def counted(self, body: Body, headers: Mapping[str, str]) -> Call:
        question, now = same(body), time.monotonic()
        call = Call(len(self.calls), self.asked[question], now, body, dict(headers))
        self.asked[question] += 1
        self.early += now < self.not_before.get(question, 0.0)
        self.calls.append(call)
        return call


def embedded(body: Body) -> Body:
    """Vectors of length 1 in eight dimensions, the same for the same text, and not in their order."""
    rows = [{"object": "embedding", "index": i, "embedding": vector(text)} for i, text in enumerate(body["input"])]
    used = sum(map(tokens, body["input"]))
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": rows[::-1], "model": body.get("model", ""), "usage": usage}


def vector(text: str) -> list[float]:
    drawn = [byte - 127.5 for byte in sha256(text.encode()).digest()[:8]]
    length = math.hypot(*drawn)
    return [part / length for part in drawn]


def same(body: Body) -> str:
    """Equal for equal requests."""
    return json.dumps(body, sort_keys=True)


# Scripts: what goes wrong when.


def in_order(*faults: Fault | None) -> Script:
    """By the number of the request; all is well from then on."""
    return lambda call: faults[call.number] if call.number < len(faults) else None


def asked(faults: Mapping[str, Sequence[Fault | None]]) -> Script:
    """By what stands in the last message: the first time it is asked, the second, ...; then all is well."""

    def script(call: Call) -> Fault | None:
        planned = next((f for words, f in faults.items() if words in call.prompt), ())
        return planned[call.nth] if call.nth < len(planned) else None

    return script


def always(fault: Fault) -> Script:
    return lambda call: fault


# Answers: what a good reply says.


def by_schema(replies: Mapping[str, str]) -> Callable[[Body], str]:
    """By the name of the schema that is asked for; the empty name is a free answer."""
    return lambda body: replies[asked_schema(body)]


# Faults of the endpoint: another status.


def refused(status: int, code: str = "", message: str = "no", headers: dict[str, str] | None = None) -> Fault:
    """An error in OpenAI's shape."""

    async def respond(request: web.Request, _: Body) -> web.StreamResponse:
        return error(status, code, message, headers)

    return Fault(respond)


def rate_limited(
    seconds: float | None = None, ms: float | None = None, date_in: int | None = None, status: int = 429
) -> Fault:
    """Too many requests, with Retry-After in seconds, in milliseconds, as a date so far ahead, or without."""

    async def respond(request: web.Request, _: Body) -> web.StreamResponse:
        headers, now = {}, time.time()
        if seconds is not None:
            headers["Retry-After"] = f"{seconds:g}"
        if ms is not None:
            headers["retry-after-ms"] = f"{ms:g}"
        if date_in is not None:
            headers |= {"Date": formatdate(now, usegmt=True), "Retry-After": formatdate(now + date_in, usegmt=True)}
        return error(status, "rate_limit_exceeded", "slow down", headers)

    return Fault(respond, wait=max(seconds or 0, (ms or 0) / 1000, date_in or 0))


def body(text: str, status: int = 200, content_type: str = "application/json") -> Fault:
    """Whatever text, such as broken JSON."""

    async def respond(request: web.Request, _: Body) -> web.StreamResponse:
        return web.Response(text=text, status=status, content_type=content_type)

    return Fault(respond)


insufficient_quota = refused(429, "insufficient_quota", "You exceeded your current quota")
bad_gateway = body("<html><body>502 Bad Gateway</body></html>", 502, "text/html")
html = body("<html><body>We are back soon.</body></html>", 200, "text/html")
redirect = refused(307, headers={"Location": "/elsewhere/chat/completions"})
broken_json = body('{"choices": [{"message": {"content": "an ans')


# Faults of the line: no reply, or a part of one.


def after(seconds: float) -> Fault:
    """A good answer, and late."""

    async def respond(request: web.Request, plain: Body) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.json_response(plain)

    return Fault(respond)


async def hang_up(request: web.Request, _: Body) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def leave_after(request: web.Request, plain: Body) -> web.StreamResponse:
    """A good answer, and a moment later the end of a connection that was to be kept."""
    assert request.transport
    asyncio.get_running_loop().call_later(0.005, request.transport.abort)
    return web.json_response(plain)


async def send_slowly(request: web.Request, plain: Body) -> web.StreamResponse:
    """A byte now and then: never silent for long, and never done."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.02)


async def keep_waiting(request: web.Request, _: Body) -> web.StreamResponse:
    """Until the client gives up, which cancels this."""
    await asyncio.Event().wait()
    return web.Response()


async def send_half(request: web.Request, plain: Body) -> web.StreamResponse:
    whole = json.dumps(plain).encode()
    response = web.StreamResponse(headers={"Content-Length": str(len(whole)), "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])
    await hang_up(request, plain)
    return response


def without_end(status: int = 200, encoding: str = "") -> Fault:
    """More and more of nothing, as fast as it is taken."""

    async def respond(request: web.Request, _: Body) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": "application/json"})
        if encoding:
            response.enable_compression(web.ContentCoding(encoding))
        await response.prepare(request)
        while True:
            await response.write(b" " * 2**20)

    return Fault(respond)


reset = Fault(hang_up)
reset_when_idle = Fault(leave_after)
trickle = Fault(send_slowly)
hang = Fault(keep_waiting)
cut_body = Fault(send_half)


# Faults of the reply: a completion that is none, or another one than was asked for.


def changed(change: Callable[[Body], object]) -> Fault:
    """The completion after a change."""

    async def respond(request: web.Request, plain: Body) -> web.StreamResponse:
        change(plain)
        return web.json_response(plain)

    return Fault(respond)


def used_up(what: str, reset: str) -> Fault:
    """A good answer whose headers say that no requests, or tokens, remain for a while."""

    async def respond(request: web.Request, plain: Body) -> web.StreamResponse:
        told = {f"x-ratelimit-remaining-{what}": "0", f"x-ratelimit-reset-{what}": reset}
        return web.json_response(plain, headers=told)

    return Fault(respond)


async def send_compressed(request: web.Request, plain: Body) -> web.StreamResponse:
    response = web.json_response(plain)
    response.enable_compression(web.ContentCoding.gzip)
    return response


async def refuse_in_gbk(request: web.Request, plain: Body) -> web.StreamResponse:
    told = json.dumps({"error": {"message": "内容不合规"}}, ensure_ascii=False)
    return web.Response(status=400, text=told, content_type="application/json", charset="gbk")


compressed = Fault(send_compressed)
refused_in_gbk = Fault(refuse_in_gbk)


def message(**fields: Any) -> Fault:
    """The completion with other fields in its message."""
    return changed(lambda plain: plain["choices"][0]["message"].update(fields))


def reworded(reword: Callable[[str], str]) -> Fault:
    """The completion with its text reworded."""
    return changed(lambda plain: plain["choices"][0]["message"].update(content=reword(content(plain))))


def finished(reason: str) -> Fault:
    return changed(lambda plain: plain["choices"][0].update(finish_reason=reason))


def content(plain: Body) -> str:
    return plain["choices"][0]["message"]["content"]


no_choices = changed(lambda plain: plain.update(choices=[]))
no_usage = changed(lambda plain: plain.pop("usage"))
null_content = message(content=None)
empty_content = message(content="")
refusal = message(content=None, refusal="I cannot help with that.")
cut_at_limit = finished("length")
content_filter = finished("content_filter")
fenced = reworded(lambda text: f"```json\n{text}\n```")
prefaced = reworded(lambda text: f"Sure! Here is the JSON:\n{text}")
thought_first = reworded(lambda text: f"<think>\nLet me see.\n</think>\n\n{text}")
twice = reworded(lambda text: f"{text}\n{text}")
cut_text = reworded(lambda text: text[: len(text) // 2])


# Faults of the wire: who the server says it is.


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate for loopback that nobody vouches for but itself; it stands in the folder as tls.pem."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    (folder / "tls.pem").write_bytes(private + made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem")
    return context
