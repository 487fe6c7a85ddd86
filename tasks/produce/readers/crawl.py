"""Web archives (WARC, as crawlers write them): the article of each page that was fetched (warcio, trafilatura)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tasks.produce.readers.found import Found, Unreadable
from tasks.produce.readers.web import article

LARGEST = 16 * 2**20
PAGES = ("text/html", "application/xhtml+xml")


def crawl(file: Path, column: str) -> Iterator[Found]:
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    with file.open("rb") as stream:
        try:
            for entry in ArchiveIterator(stream):
                fetched = entry.http_headers
                if entry.rec_type != "response" or fetched is None or fetched.get_statuscode() != "200":
                    continue
                if (fetched.get_header("Content-Type") or "").partition(";")[0].strip().lower() not in PAGES:
                    continue
                page = entry.content_stream().read(LARGEST)
                yield Found(entry.rec_headers.get_header("WARC-Target-URI") or "", article(page))
        except ArchiveLoadFailed as fault:
            raise Unreadable("broken", str(fault)[:200]) from None
