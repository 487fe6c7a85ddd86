"""What an attempt at a call came to: one class for each way that it can end.

The SDK calls an answer without choices, without content or cut at the limit a success, raises a bare
JSON error for a broken body, and retries a spent quota. So every reply is classified here, from status
and body alone:

- good: an answer to use and to store;
- retry: a fault in passing, worth another attempt after a pause;
- throttled: too many requests; costs no attempt, but the caller's patience;
- final: this call will never give a usable answer; stored, so that it is not paid again;
- stop: no call can succeed until somebody mends key, quota, address or model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from ssl import SSLCertVerificationError
from typing import Any, Literal

import orjson

from tasks.teacher.tokens import prompt_tokens, tokens

Kind = Literal["good", "retry", "throttled", "final", "stop"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an attempt ended: its class, a stable name for the ledger and a sentence for people."""

    kind: Kind
    name: str
    said: str = ""
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as a step sees it. `finish` is `stop`, `tool_calls`, `length` or `content_filter`; a tool call is
    its id, name and arguments (JSON text). `estimated` says that the endpoint told no tokens."""

    text: str
    reasoning: str = ""
    finish: str = "stop"
    model: str = ""
    prompt_tokens: int = 0
    response_tokens: int = 0
    hit: bool = field(default=False, compare=False)  # from the store, which makes no other answer of it
    tool_calls: tuple[dict[str, str], ...] = ()
    estimated: bool = False

    def counted(self, body: dict[str, Any]) -> Reply:
        """Itself with its tokens: an estimate where the endpoint told none, as some local servers do."""
        if self.prompt_tokens or self.response_tokens:
            return self
        said = tokens(self.reasoning) + tokens(self.text) + sum(tokens(c["arguments"]) for c in self.tool_calls)
        return replace(self, prompt_tokens=prompt_tokens(body), response_tokens=max(1, said), estimated=True)


GOOD = Verdict("good", "good")
PASSING = {408, 409, 425}
STOPPING_CODES = {
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "invalid_api_key",
    "model_not_found",
}


THOUGHT = re.compile(
    r"\s*<(?P<mark>think|thinking|thought)>(?P<thought>.*?)(?:</(?P=mark)>|\Z)"
    r"|(?P<begun>(?:(?!</?think>).)*)(?:\A|\n)</think>[ \t]*(?:\n|\Z)",
    re.DOTALL,
)
MOST_TOKENS = 10**9  # far beyond what any model reads or writes in one call
MARKS = ("<think", "<thought", "</think>")


def of_status(status: int, body: bytes, headers: Mapping[str, str]) -> Verdict:
    """The class of a reply that is not a 200."""
    code, said = map(sound, complaint(legible(body)))
    if code == "not_recorded":
        return Verdict("final", "not_recorded", said)
    if code in STOPPING_CODES:
        return Verdict("stop", code, said)
    if status == 429:
        return Verdict("throttled", "rate_limited", said, retry_after(headers))
    if status in PASSING or status >= 500:
        return Verdict("retry", f"http_{status}", said, retry_after(headers))
    if status in (401, 402, 403, 404, 405):
        return Verdict("stop", f"http_{status}", said)
    if 300 <= status < 400:
        return Verdict("stop", "redirected", f"the endpoint redirects ({status}); give its final address")
    return Verdict("final", "refused_by_endpoint", f"{status} {said}")


def of_body(body: bytes) -> tuple[Verdict, Reply | None]:
    """The class of the body of a 200, and its reply where there is one to read."""
    try:
        plain = read(body)
        refusal = str(plain["choices"][0]["message"].get("refusal") or "")
        reply = reply_of(plain)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return bad_body(body), None
    if reply.finish == "length":
        return Verdict("final", "truncated"), reply
    if reply.finish == "content_filter" or refusal:
        return Verdict("final", "filtered", sound(refusal)), reply
    if not reply.text.strip() and not reply.tool_calls:
        return Verdict("retry", "empty_answer"), reply
    return GOOD, reply


def bad_body(body: bytes) -> Verdict:
    """A body that cannot be read as what it should be; its beginning is shown."""
    return Verdict("retry", "bad_body", legible(body)[:200])


def read(body: bytes) -> Any:
    """What `json.loads` makes of it, by the fastest library there is; that one refuses what is not quite JSON (`NaN`),
    lone surrogates, and bytes that are not UTF-8. Raises ValueError or RecursionError."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(legible(body))


def legible(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def reply_of(plain: Any) -> Reply:
    """The reply in a completion. Raises what comes up where it has another shape."""
    choice = plain["choices"][0]
    said = choice["message"]
    reasoning = said.get("reasoning_content") or said.get("reasoning") or ""
    text, reasoning = apart(sound(said_in(said.get("content"))), sound(reasoning))
    told = counts(plain.get("usage"), "prompt_tokens", "completion_tokens")
    return Reply(
        text=text,
        reasoning=reasoning,
        tool_calls=tuple(call_of(c) for c in said.get("tool_calls") or ()),
        finish=str(choice.get("finish_reason") or "stop"),
        model=str(plain.get("model") or ""),
        prompt_tokens=told[0],
        response_tokens=told[1],
    )


def said_in(content: Any) -> str:
    """The text of a message, which some servers give in parts. Raises TypeError where it is none."""
    if isinstance(content, list):
        return "".join([part["text"] for part in content if part["type"] == "text"])
    if not isinstance(content, str | None):
        raise TypeError(f"a text is expected, not {type(content).__name__}")
    return content or ""


def counts(usage: Any, *names: str) -> list[int]:
    """Tokens by these names; none at all where one of them is no count that a call can come to: such figures must
    neither cost an answer that is paid for nor lower what was spent."""
    told = [usage.get(name) or 0 for name in names] if isinstance(usage, dict) else []
    real = told and all(type(n) in (int, float) and 0 <= n <= MOST_TOKENS for n in told)
    return [int(n) for n in told] if real else [0] * len(names)


def call_of(plain: Any) -> dict[str, str]:
    function = plain["function"]
    named = {"id": plain.get("id") or "", "name": function["name"], "arguments": function["arguments"]}
    return {k: sound(str(v)) for k, v in named.items()}


def sound(text: str) -> str:
    """The text without lone surrogates: JSON can spell them, but neither a request nor Parquet can hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def apart(text: str, reasoning: str) -> tuple[str, str]:
    """Answer and reasoning, where a server leaves the reasoning before the answer in <think> marks.

    Some chat templates write the opening mark themselves, so that the text begins within the thought. A
    thought that never ends leaves no answer.
    """
    if any(mark in text for mark in MARKS) and (found := THOUGHT.match(text)):  # most texts are spared the search
        return text[found.end() :].lstrip("\n"), reasoning or (found["thought"] or found["begun"] or "").strip()
    return text, reasoning


def of_break(fault: BaseException, timeout: float) -> Verdict:
    """The class of a request that got no reply. The transport calls most of them a timeout: the first cause knows.

    A certificate that cannot be trusted today cannot be trusted in a minute.
    """
    while fault.__cause__:
        fault = fault.__cause__
    if isinstance(fault, SSLCertVerificationError):
        return Verdict("stop", "bad_certificate", fault.verify_message)
    if isinstance(fault, ChildProcessError):
        return Verdict("stop", "no_sender", str(fault))
    if isinstance(fault, TimeoutError):
        return Verdict("retry", "timed_out", f"no answer in {timeout:g} s")
    return Verdict("retry", "disconnected", str(fault)[:200])


def complaint(body: str) -> tuple[str, str]:
    """Code and message of an error body, as far as it has them."""
    try:
        plain: Any = json.loads(body)
        error = plain.get("error") or plain
        if isinstance(error, dict):
            said = error.get("message") or error.get("detail") or " ".join(body.split())  # FastAPI says detail
            return str(error.get("code") or error.get("type") or ""), str(said)[:300]
        return "", str(error)[:300]
    except (ValueError, AttributeError, RecursionError):
        return "", " ".join(body.split())[:200]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: Retry-After in seconds or as a date, or in milliseconds."""
    if (ms := headers.get("retry-after-ms", "")).replace(".", "", 1).isdecimal():
        return float(ms) / 1000
    given = headers.get("retry-after", "")
    if given.replace(".", "", 1).isdecimal():
        return float(given)
    try:
        at = parsedate_to_datetime(given)
        sent = parsedate_to_datetime(headers["date"])
        return max(0.0, (at - sent).total_seconds())
    except (ValueError, TypeError, KeyError):
        return None
