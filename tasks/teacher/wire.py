"""One request over the openai SDK's client, and what came back.

The SDK gives endpoint, key, transport and connection pool. Its methods build each request from its parts, and read each
reply through four generators and a parser of mail headers: that took half of a call's CPU time. So a request is made of
what all of them share, and a plain reply is read as it comes from the transport.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

import orjson

SHORTEST_SECRET = 8  # local servers take any word as a key; such a word is no secret, and stands in honest texts
LARGEST = 32 * 2**20  # bytes of a reply; 64 embeddings of 8,192 numbers are 12 MB, and no answer is as long
PATIENT: dict[str, Any] = {"timeout": {}}  # who asks watches the clock; timers for each phase would be the second ones


SPELT = json.JSONEncoder(ensure_ascii=False)


def spelt(body: dict[str, Any]) -> bytes:
    """A request as it is sent. Raises UnicodeEncodeError where a text in it cannot be."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:  # more than 64 bits in a number, say
        return SPELT.encode(body).encode()


def discreet(said: str, key: str) -> str:
    """What is said, without the key in it."""
    return said.replace(key, "[key]") if len(key) > SHORTEST_SECRET else said


@dataclass(frozen=True, slots=True)
class Came:
    """A reply: its status, its headers by their names in lower case, and its body, in UTF-8 if it is text."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """The way to one path of an endpoint. `timeout` is that of the SDK's own methods; `post`
    has none. `broken` is what `post` raises where no reply came."""

    def __init__(self, url: str, path: str, key: str, timeout: float, local: bool) -> None:
        import httpx2
        import openai

        self.http = openai.DefaultAioHttpClient(
            follow_redirects=False,
            timeout=timeout,
            trust_env=not local,  # a proxy does not reach this machine's loopback
        )
        self.client = openai.AsyncOpenAI(api_key=key, base_url=url, max_retries=0, http_client=self.http)
        json_both_ways = {"Content-Type": "application/json", "Accept": "application/json"}
        self.headers = httpx2.Headers({**self.client.auth_headers, **json_both_ways}, encoding="ascii")
        parts = urlsplit(url)
        address = httpx2.URL(parts._replace(path=f"{parts.path.rstrip('/')}/{path}").geturl())
        self.request = partial(httpx2.Request, "POST", address, extensions=PATIENT)
        self.stream = httpx2.ByteStream
        self.broken = (httpx2.HTTPError, OSError)

    async def ready(self) -> None:
        """Return once requests can be sent: at once."""

    async def close(self) -> None:
        await self.client.close()

    async def post(self, body: bytes) -> Came:
        """The reply to a request, whatever its status; redirects are not followed."""
        request = self.request(stream=self.stream(body))
        request.read()
        request.headers = self.headers  # one for all; what a body adds to them (its length), the transport adds
        raw = await self.http.send(request, stream=True)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw.headers.raw}
        try:
            if raw.status_code == 200 and "content-encoding" not in headers:
                came = await whole(cast(AsyncIterable[bytes], raw.stream))
            else:
                said = await whole(raw.aiter_bytes())
                came = said.decode(raw.encoding or "utf-8", "replace").encode("utf-8", "replace")
        finally:
            await raw.aclose()
        return Came(raw.status_code, headers, came)


async def whole(stream: AsyncIterable[bytes]) -> bytes:
    """All of a stream. Raises OSError where it is longer than a reply can be: one without an end fills the memory."""
    parts, size = list[bytes](), 0
    async for part in stream:
        parts.append(part)
        if (size := size + len(part)) > LARGEST:
            raise OSError(f"a reply of more than {LARGEST >> 20} MiB")
    return b"".join(parts)
