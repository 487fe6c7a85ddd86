"""A file's bytes as UTF-8 lines can be read from them: gzip and zstandard unpacked, UTF-16 recoded, old line ends made
new. What is done is found in the first bytes, never in the file's name.
"""

from __future__ import annotations

import codecs
import io
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal, Protocol, cast, runtime_checkable

import zstandard

HEAD = 2**16
CHUNK = 2**14
ZSTD_CHUNK = 2**10  # 32 MiB at most come out of it, a block of 128 KiB for every four bytes
MOST = 2**20
UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class File(Protocol):
    """A file by its name, here (a Path) or behind a URL."""

    @property
    def name(self) -> str: ...

    def open(self, mode: Literal["rb"]) -> io.BufferedReader: ...


@runtime_checkable
class Ranged(File, Protocol):
    """One that is opened in another way to be read here and there."""

    def ranged(self) -> io.BufferedReader: ...


def opened(path: File) -> io.BufferedReader:
    """The file's bytes, unpacked."""
    file = path.open("rb")
    magic = file.peek(4)[:4]
    if magic[:2] == b"\x1f\x8b":
        return io.BufferedReader(Pieces(members(file)), HEAD)
    if magic == b"\x28\xb5\x2f\xfd":
        return io.BufferedReader(Pieces(frames(file)), HEAD)
    return io.BufferedReader(cast(Any, file), HEAD)


def textual(stream: io.BufferedReader) -> io.BufferedReader:
    """The stream with UTF-16 as UTF-8, and with a line feed where lines end in a carriage return alone."""
    encoding = UTF_16.get(stream.peek(2)[:2])
    if encoding:
        stream = io.BufferedReader(Pieces(recoded(stream, encoding)), HEAD)
    head = stream.peek(HEAD)
    if b"\r" in head and b"\n" not in head:
        stream = io.BufferedReader(Pieces(piece.replace(b"\r", b"\n") for piece in chunks(stream)), HEAD)
    return stream


class Pieces(io.RawIOBase):
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self.rest and (piece := next(self.pieces, None)) is not None:
            self.rest = memoryview(piece)
        size = min(len(into), len(self.rest))
        into[:size], self.rest = self.rest[:size], self.rest[size:]
        return size


def chunks(stream: io.BufferedReader) -> Iterator[bytes]:
    with stream:
        while piece := stream.read1(CHUNK):
            yield piece


def members(packed: BinaryIO) -> Iterator[bytes]:
    """Gzip members unpacked, up to the cut where there is one: gzip's own reader keeps back what stands before it.

    Raises EOFError where the last one is cut, zlib.error where one is broken.
    """
    member, given = None, b""
    with packed:
        while given := given or packed.read(CHUNK):
            if member is None and not (given := given.lstrip(b"\0")):
                continue
            member = member or zlib.decompressobj(wbits=31)
            yield member.decompress(given, MOST)
            member, given = (None, member.unused_data) if member.eof else (member, member.unconsumed_tail)
    if member:
        yield member.flush()
        raise EOFError("Compressed file ended before the end of its last member")


def frames(packed: BinaryIO) -> Iterator[bytes]:
    """Zstandard frames unpacked. Raises EOFError where the last one is cut: zstandard's own reader says nothing."""
    frame, given = None, b""
    with packed:
        while given := given or packed.read(ZSTD_CHUNK):
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            yield frame.decompress(given)
            frame, given = (None, frame.unused_data) if frame.eof else (frame, b"")
    if frame:
        raise EOFError("Compressed file ended before the end of its last frame")


def recoded(stream: io.BufferedReader, encoding: str) -> Iterator[bytes]:
    """UTF-16 as UTF-8. Half a pair becomes bytes that are no UTF-8, so that its line is refused, not guessed."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    stream.read(2)
    for piece in chunks(stream):
        yield decoder.decode(piece).encode("utf-8", "surrogatepass")
    try:
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        yield b"\xff"
