"""What a URL names: a storage that fsspec knows and the path in it; what goes wrong there is said in one sentence."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import fsspec

from tasks.pull.bounds import printable
from tasks.pull.files import TEXT
from tasks.pull.password import password
from tasks.recipe import RecipeError, Source, Unreachable

HTTP = ("http", "https")
AGAIN = (408, 425, 429)
PATIENT = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=120)  # a large file may take its time
SAID = 300


@dataclass(frozen=True)
class Place:
    """What a URL names: the storage and the path in it."""

    uri: str
    system: Any = field(repr=False)
    path: str
    secret: str = field(repr=False)

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Faults of the storage as one sentence."""
        try:
            yield
        except (OSError, aiohttp.ClientError, NotImplementedError) as fault:
            raise self.sentence(fault) from None

    def sentence(self, fault: Exception) -> RecipeError:
        cause = fault.__cause__ if isinstance(fault.__cause__, aiohttp.ClientError) else fault
        status = cause.status if isinstance(cause, aiohttp.ClientResponseError) else 0
        if status == 404 or isinstance(cause, FileNotFoundError):
            return missing(self.uri)
        lines = f"{status} {cause.message}" if isinstance(cause, aiohttp.ClientResponseError) else str(cause).strip()
        said = printable((lines.splitlines() or [type(cause).__name__])[0])[:SAID]
        what = f"{self.uri}: {said.replace(self.secret, '***') if self.secret else said}"
        if isinstance(cause, PermissionError | NotImplementedError | io.UnsupportedOperation) or (
            400 <= status < 500 and status not in AGAIN
        ):
            return RecipeError(what, "sources", "check the URL and what may be read there")
        return Unreachable(what, "sources", "check that it can be reached from here")


def place(source: Source) -> Place:
    """Raises RecipeError where nothing that is installed knows such URLs."""
    secret = password(source)
    uri, options = opening(source, secret)
    at = Place(source.uri, None, "", secret)
    try:
        with at.reached():
            system, path = fsspec.core.url_to_fs(uri, **options)
    except ImportError as fault:
        lacking = getattr(fault.__cause__ or fault, "name", None)
        hint = f"pip install {lacking}" if lacking else "install it beside flywheel"
        what = f"{source.scheme}:// needs a package that is not installed: {fault}"
        raise RecipeError(what, "sources.uri", hint) from None
    except (ValueError, TypeError) as fault:
        if isinstance(fault, RecipeError):
            raise
        what = f"{source.uri} cannot be opened: {' '.join(str(fault).split())[:SAID]}"
        raise RecipeError(what, "sources", "check the URL's beginning, and storage") from None
    system.invalidate_cache()  # of listings: a log grows
    return Place(source.uri, system, path, secret)


def opening(source: Source, secret: str) -> tuple[str, dict[str, Any]]:
    """The URL and the options with which to open it, the password among them."""
    if not source.uri.startswith(HTTP):
        return source.uri, source.storage | ({"password": secret} if secret else {})
    url, client = urlsplit(source.uri), {"timeout": PATIENT, **source.storage.get("client_kwargs", {})}
    if secret:
        client["auth"] = aiohttp.BasicAuth(url.username or "", secret)
    bare = urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))
    return bare, source.storage | {"client_kwargs": client}


def missing(uri: str) -> RecipeError:
    hint = f"expected a file, a folder with {', '.join(TEXT)} (or .gz, .zst of these) or .parquet, or a glob with *"
    return RecipeError(f"no logs at {uri}", "sources", hint)
