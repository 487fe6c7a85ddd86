"""A corpus of passages that can be searched: BM25 over words, and over pairs of characters where nothing parts words.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", through the library bm25s. Chinese is
matched by overlapping pairs of characters: what a segmenter cuts one way in a passage and another way in a question
still has its pairs in common.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from tasks.recipe import RecipeError, located
from tasks.text import CJK, KANA, key

UNSPACED = re.compile(f"(?:{CJK.pattern}|{KANA.pattern})+")
WORD = re.compile(r"[^\W_]+")
FIELDS = ("id", "language", "title", "text")


@dataclass(frozen=True, slots=True)
class Passage:
    """One text of a corpus."""

    id: str
    language: str
    title: str
    text: str


@dataclass(frozen=True)
class Corpus:
    """The passages of one language, and the index over them; None where there are none."""

    passages: tuple[Passage, ...]
    index: Any

    def search(self, question: str, most: int) -> list[Passage]:
        """The passages that have most in common with a question, the best first; none that share nothing with it."""
        terms = [t for t in terms_of(question) if self.index and t in self.index.vocab_dict]
        if not terms:
            return []
        scores = self.index.get_scores(terms)
        best = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:most]
        return [self.passages[i] for i in best if scores[i] > 0]


def terms_of(text: str) -> list[str]:
    """Words, and of scripts without spaces each pair of neighbours; a character that stands alone is itself."""
    folded = key(text)
    runs = [m[0] for m in UNSPACED.finditer(folded)]
    pairs = [run[i : i + 2] for run in runs for i in range(max(1, len(run) - 1))]
    return WORD.findall(UNSPACED.sub(" ", folded)) + pairs


@cache
def read(path: str, language: str) -> Corpus:
    """The passages of a file in one language. Raises RecipeError where it cannot be read."""
    import bm25s

    found = tuple(p for p in passages(path) if p.language == language)
    if not found:
        return Corpus((), None)
    index = bm25s.BM25()
    index.index([terms_of(f"{p.title}\n{p.text}") for p in found], show_progress=False)
    return Corpus(found, index)


def passages(path: str) -> list[Passage]:
    """All passages of a JSONL file. Raises RecipeError where it is none."""
    try:
        lines = [json.loads(line) for line in located(path).read_text("utf-8").splitlines() if line.strip()]
        return [Passage(*(str(line[field]) for field in FIELDS)) for line in lines]
    except OSError as fault:
        hint = "name a JSON Lines file of id, language, title and text, as data/corpus/passages.jsonl"
        raise RecipeError(f"no corpus at {path}: {fault.strerror}", "meta_reasoning.corpus", hint) from None
    except (ValueError, KeyError, TypeError) as fault:
        what = f"{path} is not a corpus: expected id, language, title and text on each line ({fault!r})"
        raise RecipeError(what, "meta_reasoning.corpus") from None
