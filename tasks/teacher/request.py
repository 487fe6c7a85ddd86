"""A request in one spelling, and the key of its call: the first thing that is done for every question, and all that is
done beside the look-up where the answer is known.

So it is bytes from the start, as the hash takes them: texts by the fastest library there is, and what many requests
share (the schema of their answers, the names of their fields) once for all of them.
"""

from __future__ import annotations

import json
from functools import cached_property, lru_cache
from math import isfinite
from typing import Any

from tasks.hashing import sha256
from tasks.record import quoted

SCHEMA_VERSION = 2
SPELT = json.JSONEncoder(sort_keys=True, ensure_ascii=False)
SHORT = 16  # characters of a text that is likely to stand in many requests: a role, a type, the name of a field


class Shared(dict[str, Any]):
    """A part of many requests, the schema of their answer say, which is spelt once for all of them."""

    @cached_property
    def spelling(self) -> bytes:
        return encoded(self)


def request_of(body: dict[str, Any]) -> bytes:
    """A request without its limit: what `SPELT` makes of it, in UTF-8."""
    pieces: list[bytes] = []
    fields(body, tuple([name for name in body if name != "max_tokens"]), pieces)
    return b"".join(pieces)


def text_of(request: bytes) -> str:
    """A request as text."""
    return request.decode("utf-8", "surrogatepass")


def call_key(identity: str, request: bytes, sample: int) -> str:
    """The key of a call: sha256 over who is asked, the request without its limit, and the sample number."""
    return sha256(f"{SCHEMA_VERSION}\0{identity}\0{sample}\0".encode("utf-8", "surrogatepass") + request)


def fields(plain: dict[str, Any], names: tuple[str, ...], into: list[bytes]) -> None:
    for name, begun in in_order(names):
        into.append(begun)
        spell(plain[name], into)
    into.append(b"}")


@lru_cache
def in_order(names: tuple[str, ...]) -> list[tuple[str, bytes]]:
    """The fields that some requests have, sorted, each with all that stands before its value."""
    return [(name, (b", " if i else b"{") + quoted(name) + b": ") for i, name in enumerate(sorted(names))]


def spell(plain: Any, into: list[bytes]) -> None:
    """What `SPELT` makes of it, in pieces: a long text is copied once, when they are joined."""
    if isinstance(plain, str):
        into.append(short(plain) if len(plain) <= SHORT else quoted(plain))
    elif isinstance(plain, Shared):
        into.append(plain.spelling)
    elif isinstance(plain, dict) and plain:
        fields(plain, tuple(plain), into)
    elif isinstance(plain, list) and plain:
        before = b"["
        for one in plain:
            into.append(before)
            spell(one, into)
            before = b", "
        into.append(b"]")
    else:
        into.append(float.__repr__(plain).encode() if isinstance(plain, float) and isfinite(plain) else encoded(plain))


def encoded(plain: Any) -> bytes:
    return SPELT.encode(plain).encode("utf-8", "surrogatepass")


short = lru_cache(quoted)
