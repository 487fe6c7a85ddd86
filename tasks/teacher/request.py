"""A request in one spelling, and the key of its call: the first thing that is done for every question, and all that is
done beside the look-up where the answer is known.

So it is bytes from the start, as the hash takes them: texts by the fastest library there is, and what many requests
share (the schema of their answers, the names of their fields) once for all of them.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property, lru_cache
from math import isfinite
from typing import Any

import orjson

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
    return fields(body, tuple([name for name in body if name != "max_tokens"]))


def text_of(request: bytes) -> str:
    """A request as text."""
    return request.decode("utf-8", "surrogatepass")


def call_key(identity: str, request: bytes, sample: int) -> str:
    """The key of a call: sha256 over who is asked, the request without its limit, and the sample number."""
    made = hashlib.sha256(f"{SCHEMA_VERSION}\0{identity}\0{sample}\0".encode("utf-8", "surrogatepass"))
    made.update(request)
    return made.hexdigest()


def fields(plain: dict[str, Any], names: tuple[str, ...]) -> bytes:
    return b"{%b}" % b", ".join([begun + spelling(plain[name]) for name, begun in in_order(names)])


@lru_cache
def in_order(names: tuple[str, ...]) -> list[tuple[str, bytes]]:
    """The fields that some requests have, sorted, each with how it begins."""
    return [(name, quoted(name) + b": ") for name in sorted(names)]


def spelling(plain: Any) -> bytes:
    """What `SPELT` makes of it."""
    if isinstance(plain, str):
        return short(plain) if len(plain) <= SHORT else quoted(plain)
    if isinstance(plain, Shared):
        return plain.spelling
    if isinstance(plain, dict):
        return fields(plain, tuple(plain))
    if isinstance(plain, list):
        return b"[%b]" % b", ".join([spelling(one) for one in plain])
    if isinstance(plain, float) and isfinite(plain):
        return float.__repr__(plain).encode()
    return encoded(plain)


def quoted(text: str) -> bytes:
    try:
        return orjson.dumps(text)
    except orjson.JSONEncodeError:  # a lone surrogate, which ours lets pass
        return encoded(text)


def encoded(plain: Any) -> bytes:
    return SPELT.encode(plain).encode("utf-8", "surrogatepass")


short = lru_cache(quoted)
