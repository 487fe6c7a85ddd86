"""Which texts are near-duplicates of which: MinHash bands for candidates, exact Jaccard for the verdict.

Broder 1997 (resemblance by min-wise hashing), banding after Leskovec, Rajaraman and Ullman, Mining of
Massive Datasets, 3.4. Signatures are datasketch's affine32 scheme with a shingle hash of our own,
computed over the code points of many texts at once: the permutations are datasketch's, and a test holds the two equal.

Shingles are runs of 5 characters of the key, 3 where the text is Chinese: white space separates no
words there, and an edit of one character touches fewer short shingles. A text shorter than that is one
shingle. An empty text has none and is near to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

import numpy as np

from tasks.text import CJK

FORMAT = 2  # of the keys on disk: raise it when shingles, hash, permutations, banding or keys change
BANDS, ROWS = 21, 6
PERMUTATIONS = BANDS * ROWS
SHORT, LONG = 3, 5
CHUNK = 1 << 16  # characters at a time: what a permutation works on stays in the processor's cache
U32, U64 = np.uint32, np.uint64
BASIS = 0xCBF29CE484222325  # where a hash of FNV-1a begins


def width(text: str) -> int:
    """Characters in a shingle of this text."""
    return SHORT if len(CJK.findall(text)) * 10 >= 3 * len(text) else LONG


def shingles(text: str) -> frozenset[str]:
    n = width(text)
    return frozenset([text[i : i + n] for i in range(max(1, len(text) - n + 1))] if text else ())


@lru_cache(maxsize=4096)  # some 2 KB for each text of 300 characters; as strings they would take 25
def shingles_of(text: str) -> np.ndarray:
    """The shingles of a text, each once, by their hashes of 64 bits, ascending."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=U32).astype(U64)
    n = min(width(text), len(codes))
    state = np.full(max(0, len(codes) - n + 1) if n else 0, BASIS, dtype=U64)
    for i in range(n):
        stir(state, codes[i : i + len(state)])
    return np.unique(state)


def jaccard(a: str, b: str) -> float:
    one, other = shingles_of(a), shingles_of(b)
    together = np.concatenate([one, other])
    together.sort(kind="stable")  # which merges two runs
    both = int(np.count_nonzero(together[1:] == together[:-1]))
    return both / (len(together) - both) if both else 0.0


@cache
def permutations() -> tuple[np.ndarray, np.ndarray]:
    from datasketch import MinHash  # takes a second to import, and most that looks into a dataset needs none of it

    a, b = np.asarray(MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32").permutations)
    return a.astype(U32), b.astype(U32)


@cache
def chinese() -> np.ndarray:
    """Whether a code point is a Chinese character, by `CJK`."""
    table = np.zeros(0x110000, dtype=bool)
    table[[m.start() for m in CJK.finditer("".join(map(chr, range(len(table)))))]] = True
    return table


def mixed(h: np.ndarray) -> np.ndarray:
    """The finaliser of MurmurHash3, as affine32 applies it to each hash before the permutations."""
    h = h ^ (h >> U32(16))
    h = h * U32(0x85EBCA6B)
    h = h ^ (h >> U32(13))
    h = h * U32(0xC2B2AE35)
    return h ^ (h >> U32(16))


def signatures(texts: Sequence[str]) -> np.ndarray:
    """MinHash signatures, uint32 of (texts x 126); all ones for an empty text."""
    out = np.full((len(texts), PERMUTATIONS), 0xFFFFFFFF, dtype=U32)
    for rows in batches(texts):
        hashes, starts = hashed([texts[i] for i in rows])
        h, room = mixed(hashes), np.empty_like(hashes)
        least = np.empty((PERMUTATIONS, len(rows)), dtype=U32)
        for p, (a, b) in enumerate(zip(*permutations(), strict=True)):
            np.multiply(h, a, out=room)
            np.add(room, b, out=room)
            np.minimum.reduceat(room, starts, out=least[p])
        out[rows] = least.T
    return out


def batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """The numbers of the texts that are not empty, some `CHUNK` characters at a time."""
    rows: list[int] = []
    size = 0
    for i, text in enumerate(texts):
        if text:
            rows.append(i)
            size += len(text)
        if size >= CHUNK:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def hashed(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The 32-bit hashes of all shingles, one text after the other, and where each text starts. No text is empty.

    A hash is FNV-1a over code points, 64 bits, folded. It is taken at every character of the joined texts, as far as
    the shingle of its text is wide, and let go where that would reach into the next text.
    """
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=U32)
    lengths = np.array([len(t) for t in texts])
    ends = np.cumsum(lengths)
    han = np.add.reduceat(chinese()[codes], ends - lengths, dtype=np.int64)
    widths = np.minimum(np.where(han * 10 >= 3 * lengths, SHORT, LONG), lengths)
    wide = np.repeat(widths.astype(np.uint8), lengths)
    padded = np.append(codes, np.zeros(LONG, dtype=U32)).astype(U64)
    state = np.full(len(codes), BASIS, dtype=U64)
    folded = np.empty(len(codes), dtype=U32)
    for n in range(1, LONG + 1):
        stir(state, padded[n - 1 : n - 1 + len(codes)])
        if (widths == n).any():
            np.copyto(folded, (state ^ (state >> U64(32))).astype(U32), where=wide == n)
    counts = lengths - widths + 1
    whole = np.arange(len(codes)) < np.repeat(ends - widths + 1, lengths)
    return folded[whole], np.cumsum(counts) - counts


def stir(state: np.ndarray, letters: np.ndarray) -> None:
    """One more code point into each hash: a step of FNV-1a, and its high bits into the low ones."""
    state ^= letters
    state *= U64(0x100000001B3)
    state ^= state >> U64(29)


def bands(texts: Sequence[str]) -> np.ndarray:
    """Band hashes, uint64 of (texts x 21); 0 in every band for an empty text."""
    signed = signatures(texts).reshape(len(texts), BANDS, ROWS)
    state = np.full((len(texts), BANDS), 0x9E3779B97F4A7C15, dtype=U64)
    state += np.arange(BANDS, dtype=U64)
    for r in range(ROWS):
        state = (state ^ signed[:, :, r].astype(U64)) * U64(0xFF51AFD7ED558CCD)
        state ^= state >> U64(32)
    state[[not t for t in texts]] = 0
    return state
