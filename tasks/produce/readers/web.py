"""Web pages: the article as Markdown, without menus, advertisements and footers (trafilatura)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from tasks.produce.readers.found import Found


def web(file: Path, column: str) -> Iterator[Found]:
    yield Found(text=article(file.read_bytes()))


def article(page: bytes) -> str:
    """What a page says, by its own encoding; empty where it says nothing."""
    from trafilatura import extract

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # a page without a text is a reason of ours
    return extract(page, output_format="markdown", include_comments=False, include_tables=True) or ""
