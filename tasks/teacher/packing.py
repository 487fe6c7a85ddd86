"""Texts packed small: zstd with a dictionary that is trained once on the store's own calls.

Calls of one kind share most of their words (the prompt's, the schema's), and each is too short for a
compressor to find that out by itself. The dictionary stands in the store; a packed text names it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import zstandard

LEVEL = 3
DICTIONARY_BYTES = 2**15
ENOUGH = 1000
SEGMENT = 1024  # bytes; where zstd searches for the best length itself it takes four times as long and packs no smaller
TABLE = "create table if not exists dictionaries (id integer primary key, bytes blob not null)"


class Packing:
    """Packs and unpacks the texts of one store; for one thread, over a connection of its own."""

    def __init__(self, link: sqlite3.Connection) -> None:
        self.link = link
        self.plain = zstandard.ZstdCompressor(level=LEVEL)
        self.packer = self.plain
        self.unpackers = {0: zstandard.ZstdDecompressor()}
        self.load()

    def load(self) -> None:
        for number, raw in self.link.execute("select id, bytes from dictionaries order by id"):
            words = zstandard.ZstdCompressionDict(raw)
            self.packer = zstandard.ZstdCompressor(level=LEVEL, dict_data=words)
            self.unpackers[number] = zstandard.ZstdDecompressor(dict_data=words)

    @property
    def trained(self) -> bool:
        return len(self.unpackers) > 1

    def train(self, texts: Sequence[str]) -> None:
        """Make the dictionary from some texts, for the caller to commit. Too few or too short ones make none."""
        samples: list[Any] = [encoded(t) for t in texts if t]
        if sum(map(len, samples)) < 8 * DICTIONARY_BYTES:
            return
        words = zstandard.train_dictionary(DICTIONARY_BYTES, samples, level=LEVEL, k=SEGMENT, d=8)
        named = (words.dict_id(), words.as_bytes())
        self.link.execute("insert or ignore into dictionaries values (?, ?)", named)
        self.load()

    def pack(self, text: str) -> bytes:
        return self.packed(encoded(text))

    def packed(self, text: bytes) -> bytes:
        """A text in UTF-8, packed."""
        return self.packer.compress(text)

    def unpack(self, blob: bytes) -> str:
        return self.unpacked(blob).decode("utf-8", "surrogatepass")

    def unpacked(self, blob: bytes) -> bytes:
        """The text in UTF-8, lone surrogates as they are."""
        return self.unpacker(dictionary(blob)).decompress(blob)

    def all_unpacked(self, blobs: Iterable[bytes]) -> list[bytes]:
        """The same of many, for which other threads have the interpreter once and not at each."""
        found: list[bytes] = []
        for number, some in groupby(blobs, dictionary):
            together: Any = [*some]
            found += [text.tobytes() for text in self.unpacker(number).multi_decompress_to_buffer(together)]
        return found

    def unpacker(self, number: int) -> zstandard.ZstdDecompressor:
        if number not in self.unpackers:
            self.load()  # the writer trained it since
        return self.unpackers[number]


def dictionary(blob: bytes) -> int:
    """The dictionary that a packed text names; 0 for none."""
    return zstandard.get_frame_parameters(blob).dict_id


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
