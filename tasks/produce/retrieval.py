"""Retrieval from the texts of one run, in memory: BM25 over words of Latin script and pairs of Chinese characters.

Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009; k1 = 1.2, b = 0.75.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from tasks.text import CJK, key

WORD = re.compile(r"[^\W_\u3400-\u9fff]+")
HAN = re.compile(rf"{CJK.pattern}+")
K1, B = 1.2, 0.75


def terms(text: str) -> list[str]:
    """What a text is found by."""
    folded = key(text)
    pairs = [run[i : i + 2] for run in HAN.findall(folded) for i in range(max(1, len(run) - 1))]
    return WORD.findall(folded) + pairs


class Retrieval:
    """An index of texts, which are named by their numbers."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [Counter(terms(text)) for text in texts]
        self.sizes = [sum(c.values()) for c in counted]
        self.mean = max(1.0, sum(self.sizes) / max(1, len(texts)))
        self.postings: dict[str, list[tuple[int, int]]] = {}
        for number, counts in enumerate(counted):
            for term, often in counts.items():
                self.postings.setdefault(term, []).append((number, often))

    def ranked(self, question: str) -> list[int]:
        """The texts that share a term with the question, best first."""
        scores: dict[int, float] = defaultdict(float)
        for term in set(terms(question)):
            found = self.postings.get(term, [])
            rarity = math.log(1 + (len(self.sizes) - len(found) + 0.5) / (len(found) + 0.5))
            for number, often in found:
                length = 1 - B + B * self.sizes[number] / self.mean
                scores[number] += rarity * often * (K1 + 1) / (often + K1 * length)
        return sorted(scores, key=lambda n: (-scores[n], n))
