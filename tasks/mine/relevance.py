"""Is it about what the team's product is about? A list of words and phrases, in both languages.

Words are matched in their folded form (case, width, traditional characters): Latin ones as whole words, Chinese by
characters. What is to be in a row is looked for in all that the user said, as a follow-up belongs to its session;
what is not to be there only in what is asked last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tasks.hanzi import simplified
from tasks.mine.ask import Ask
from tasks.step import Drop
from tasks.text import key


@dataclass(frozen=True, slots=True)
class Relevance:
    """Keeps rows that hold one of `include` (all rows where it is empty) and none of `exclude`."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __call__(self, ask: Ask) -> Drop | None:
        if self.exclude and (found := pattern(self.exclude).search(ask.folded)):
            return Drop("off_topic", f"excluded: {found[0]}")
        if self.include and not pattern(self.include).search(ask.said_folded):
            return Drop("off_topic", "none of the listed words")
        return None


@cache
def pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for a list; the longest first, so that the detail names the phrase and not its beginning."""
    folded = sorted({simplified(key(word)) for word in words}, key=lambda w: (-len(w), w))
    return re.compile("|".join(map(bounded, folded)))


def bounded(word: str) -> str:
    """A word that begins or ends with a Latin letter or a digit begins or ends there in the text as well."""
    start = r"(?<![a-z0-9])" if re.match(r"[a-z0-9]", word) else ""
    end = r"(?![a-z0-9])" if re.search(r"[a-z0-9]\Z", word) else ""
    return f"{start}{re.escape(word)}{end}"
