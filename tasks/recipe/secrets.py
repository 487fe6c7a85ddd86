"""Secrets have no place in a recipe: it is stored with every run, and shown."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

NAMED = re.compile(
    r"(password|passwd|pwd|passphrase|secret|token|signature|sig|credential|(api|access|subscription)[-_]?key)$", re.I
)


def secret_in(uri: str, storage: dict[str, Any]) -> str:
    """Where a secret stands, as `uri` or `storage.<option>`; empty where there is none. The parts of a chained URL
    (`zip://a.jsonl::https://…`) count each."""
    for part in uri.split("::") if "://" in uri else ():
        try:
            url = urlsplit(part)
        except ValueError:  # not a URL; whoever opens it says so
            continue
        if url.password or asks_with(url.query):
            return "uri"
    return next((f"storage.{path}" for path in named(storage)), "")


def asks_with(query: str) -> bool:
    """Whether a URL's query holds a secret."""
    return any(NAMED.search(name) for name, _ in parse_qsl(query))


def keyed(url: str) -> bool:
    """Whether an endpoint's URL holds a key in its query, as `?api-key=…` or `?key=…`; what is no URL holds none."""
    try:
        query = urlsplit(url).query
    except ValueError:
        return False
    return asks_with(query) or any(name.lower() == "key" for name, _ in parse_qsl(query))


def named(options: dict[str, Any]) -> list[str]:
    """The dotted paths of options whose names say that they are secrets."""
    found = [name for name, value in options.items() if NAMED.search(name) and value]
    within = [(name, value) for name, value in options.items() if isinstance(value, dict)]
    return found + [f"{name}.{path}" for name, value in within for path in named(value)]
