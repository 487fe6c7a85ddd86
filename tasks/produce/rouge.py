"""ROUGE-L (Lin, 2004) of a text against tens of thousands, exactly.

The F1 of the longest common subsequence is 1 - indel / (m + n), which rapidfuzz finds in the bits of machine words and
leaves unfinished where it cannot reach the cutoff. Each token becomes one character, so that its strings are our token
lists. A token is a Chinese character or a word of any other script: Chinese has no spaces to go by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tasks.text import CJK, KANA, key

TOKEN = re.compile(rf"{CJK.pattern}|{KANA.pattern}|[^\W_]+?(?={CJK.pattern}|{KANA.pattern}|[\W_]|\Z)")
SURROGATES = range(0xD800, 0xE000)  # no characters


def tokens(text: str) -> list[str]:
    """Characters of Chinese, words of other scripts, folded; punctuation counts for nothing."""
    return TOKEN.findall(key(text))


@dataclass(slots=True)
class Known:
    """Texts to be told apart from. `cutoff` is the likeness of which no more than that it is not reached is told."""

    cutoff: float = 0.7
    texts: list[str] = field(default_factory=list)
    spelled: list[str] = field(default_factory=list)
    letters: dict[str, str] = field(default_factory=dict)

    def add(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.texts.append(text)
            self.spelled.append(self.spell(text))

    def nearest(self, texts: Sequence[str], since: int = 0) -> list[tuple[float, str]]:
        """For each text the ROUGE-L F1 of the known one that is most like it, and that one; (0.0, "") below the cutoff.

        `since` leaves out those that were known first. Many texts at once are several times as fast as one by one.
        """
        from rapidfuzz.distance import Indel
        from rapidfuzz.process import cdist

        known = self.spelled[since:]
        if not texts or not known:
            return [(0.0, "")] * len(texts)
        alike = cdist(
            [self.spell(t) for t in texts], known, scorer=Indel.normalized_similarity, score_cutoff=self.cutoff
        )
        best = alike.argmax(axis=1)
        found = zip(alike[range(len(texts)), best].tolist(), best.tolist(), strict=True)
        return [(round(like, 4), self.texts[since + at]) if like else (0.0, "") for like, at in found]

    def spell(self, text: str) -> str:
        """A character for each token: the same for the same token."""
        return "".join(self.letters.setdefault(t, letter(len(self.letters))) for t in tokens(text))


def letter(number: int) -> str:
    """The nth character, past the surrogates."""
    return chr(number + 1 if number + 1 < SURROGATES.start else number + 1 + len(SURROGATES))
