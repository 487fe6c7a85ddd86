"""Windows of texts as hashes: every 13 words, every 30 characters where at least half are Chinese, and whole texts.

13 words: Brown et al., GPT-3, arXiv:2005.14165, appendix C. Words are runs of letters and digits in the folded text;
Chinese (and kana) counts by characters, and punctuation and spaces by nothing, so neither hides a copy. All texts
of a batch lie in one array of code points: a window's hash is the difference of two prefix sums of a polynomial
modulo 2^64, brought back to the origin by the inverse power, so the work is linear in the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from tasks.hanzi import simplified
from tasks.text import key

WORDS, CHARACTERS, LEAST_CHINESE = 13, 30, 15
SHORTEST = 6  # a whole text of fewer words and characters names no question
BATCH = 1 << 20
BASE = 0x9E3779B97F4A7C15
INVERSE = pow(BASE, -1, 1 << 64)
U64 = np.uint64


def windows(texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For batches of texts, (number of the text, hash) of each window."""
    batch: list[str] = []
    first = size = 0
    for i, text in enumerate(texts):
        batch.append(simplified(key(text)).replace("'", "").replace("’", ""))
        size += len(batch[-1])
        if size >= BATCH or i + 1 == len(texts):
            rows, hashes = of_batch(batch)
            yield rows + first, hashes
            batch, first, size = [], i + 1, 0


def of_batch(folded: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    codes = np.frombuffer("\n".join([*folded, ""]).encode("utf-32-le", "surrogatepass"), np.uint32)
    row = np.repeat(np.arange(len(folded)), [len(t) + 1 for t in folded])
    kind = kinds()[codes]
    stream = kind > 0
    letters, rows, chinese = codes[stream], row[stream], kind[stream] == 2
    spelled = prefix(letters)
    starts, ends = runs(kind == 1)
    words = span(prefix(codes), starts, ends) ^ U64(1)
    word_rows = row[starts]
    one = windowed(prefix(mixed(words)), word_rows, WORDS, np.ones(len(words), np.int64), WORDS, 2)
    other = windowed(spelled, rows, CHARACTERS, chinese.astype(np.int64), LEAST_CHINESE, 3)
    every = np.arange(len(folded))
    begin, end = np.searchsorted(rows, every), np.searchsorted(rows, every, "right")
    weight = np.bincount(word_rows, minlength=len(folded)) + np.bincount(rows[chinese], minlength=len(folded))
    whole = every[weight >= SHORTEST], mixed(span(spelled, begin, end) ^ U64(4))[weight >= SHORTEST]
    rows_of, hashes = zip(one, other, whole, strict=True)
    return np.concatenate(rows_of), np.concatenate(hashes)


@cache
def kinds() -> np.ndarray:
    """For each code point: 0 nothing, 1 a letter or digit of a word, 2 a character that counts by itself."""
    table = np.fromiter((chr(c).isalnum() for c in range(0x110000)), np.uint8, 0x110000)
    for low, high in ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)):
        table[low : high + 1] *= 2
    table[0x20000:0x31350] *= 2
    return table


def runs(flags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where runs of true begin, and where they have ended."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def prefix(values: np.ndarray) -> np.ndarray:
    """Sums of value x BASE^position over all that stands before, modulo 2^64; one longer than `values`."""
    terms = values.astype(U64) * powers(BASE, len(values))
    return np.concatenate([np.zeros(1, U64), np.cumsum(terms, dtype=U64)])


def span(sums: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The hash of each stretch, wherever it stands."""
    return (sums[ends] - sums[starts]) * powers(INVERSE, len(sums))[starts]


def windowed(
    sums: np.ndarray, rows: np.ndarray, size: int, weight: np.ndarray, least: int, salt: int
) -> tuple[np.ndarray, np.ndarray]:
    """The windows that lie in one text and weigh enough, as (number of the text, hash)."""
    starts = np.arange(max(0, len(rows) - size + 1))
    heavy = np.concatenate([[0], np.cumsum(weight)])
    fit = (rows[starts] == rows[starts + size - 1]) & (heavy[starts + size] - heavy[starts] >= least)
    starts = starts[fit]
    return rows[starts], mixed(span(sums, starts, starts + size) ^ U64(salt))


def powers(base: int, count: int) -> np.ndarray:
    """base^0 ... base^(count - 1) modulo 2^64."""
    factors = np.full(count, base, U64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=U64)


def mixed(hashes: np.ndarray) -> np.ndarray:
    """The finaliser of MurmurHash3: a polynomial's low bits depend on little."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> U64(33))) * U64(factor)
    return hashes ^ (hashes >> U64(33))
