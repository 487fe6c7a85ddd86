"""Which texts are near-duplicates of which: MinHash bands for candidates, exact Jaccard for the verdict.

Broder 1997 (resemblance by min-wise hashing), banding after Leskovec, Rajaraman and Ullman, Mining of
Massive Datasets, 3.4. Signatures are datasketch's affine32 scheme with a shingle hash of our own,
computed for all rows at once: the permutations are datasketch's, and a test holds the two equal.

Shingles are runs of 5 characters of the key, 3 where the text is Chinese: white space separates no
words there, and an edit of one character touches fewer short shingles. A text shorter than that is one
shingle. An empty text has none and is near to nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

import numpy as np
from datasketch import MinHash

from tasks.text import CJK

FORMAT = 1  # of the bands on disk: raise it when shingles, hash, permutations or banding change
BANDS, ROWS = 21, 6
PERMUTATIONS = BANDS * ROWS
CHUNK = 1 << 20
BUCKET_CAP = 200
U32, U64 = np.uint32, np.uint64


def width(text: str) -> int:
    """Characters in a shingle of this text."""
    return 3 if len(CJK.findall(text)) * 10 >= 3 * len(text) else 5


def shingles(text: str) -> frozenset[str]:
    n = width(text)
    return frozenset(text[i : i + n] for i in range(max(1, len(text) - n + 1))) if text else frozenset()


@lru_cache(maxsize=200_000)
def shingles_of(text: str) -> frozenset[str]:
    return shingles(text)


def jaccard(a: str, b: str) -> float:
    one, other = shingles_of(a), shingles_of(b)
    both = len(one & other)
    return both / (len(one) + len(other) - both) if both else 0.0


def shingle_hash(codes: np.ndarray) -> np.ndarray:
    """A 32-bit hash for each row of code points (rows x width): FNV-1a over code points, 64 bits, folded."""
    state = np.full(len(codes), 0xCBF29CE484222325, dtype=U64)
    for column in codes.T:
        state = (state ^ column.astype(U64)) * U64(0x100000001B3)
        state ^= state >> U64(29)
    return (state ^ (state >> U64(32))).astype(U32)


@cache
def permutations() -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32").permutations)
    return a.astype(U32), b.astype(U32)


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
    a, b = permutations()
    for rows, hashes, starts in hashed(texts):
        h = mixed(hashes)
        for p in range(PERMUTATIONS):
            out[rows, p] = np.minimum.reduceat(a[p] * h + b[p], starts)
    return out


def hashed(texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Batches of (row numbers, shingle hashes of these rows in a row, where each row starts)."""
    rows: list[int] = []
    parts: list[np.ndarray] = []
    size = 0
    for i, text in enumerate(texts):
        if not text:
            continue
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=U32)
        n = min(width(text), len(codes))
        parts.append(shingle_hash(np.lib.stride_tricks.sliding_window_view(codes, n)))
        rows.append(i)
        size += len(parts[-1])
        if size >= CHUNK:
            yield batch(rows, parts)
            rows, parts, size = [], [], 0
    if rows:
        yield batch(rows, parts)


def batch(rows: list[int], parts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lengths = np.array([len(p) for p in parts])
    return np.array(rows), np.concatenate(parts), np.concatenate([[0], np.cumsum(lengths)[:-1]])


def bands(texts: Sequence[str]) -> np.ndarray:
    """Band hashes, uint64 of (texts x 21); 0 in every band for an empty text."""
    signed = signatures(texts).reshape(len(texts), BANDS, ROWS)
    state = np.full((len(texts), BANDS), 0x9E3779B97F4A7C15, dtype=U64)
    for r in range(ROWS):
        state = (state ^ signed[:, :, r].astype(U64)) * U64(0xFF51AFD7ED558CCD)
        state ^= state >> U64(32)
    state[[not t for t in texts]] = 0
    return state


def candidates(old: np.ndarray, new: np.ndarray) -> dict[int, list[int]]:
    """For each new row the rows before it that share a band, ascending; rows of `old` count from 0, new ones go on.

    A bucket gives at most its first `BUCKET_CAP` rows as candidates, so that boilerplate does not make
    the work grow with its square.
    """
    found: dict[int, set[int]] = defaultdict(set)
    everything = np.concatenate([old, new]) if len(old) else new
    for band in everything.T:
        order = np.lexsort((np.arange(len(band)), band))
        ordered = band[order]
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) + 1
        for start, end in zip(np.append(0, ends[:-1]), ends, strict=True):
            if end - start < 2 or ordered[start] == 0:
                continue
            bucket = order[start:end].tolist()
            for at, row in enumerate(bucket):
                if row >= len(old):
                    found[row - len(old)].update(bucket[: min(at, BUCKET_CAP)])
    return {row: sorted(before) for row, before in found.items()}
