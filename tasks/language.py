"""Which language a text is in: `zh`, `en` or `other`.

The script decides for Chinese, and a small n-gram model (py3langid) between English and the other
languages of the Latin script. Code says nothing about the language of who asks, so it is left out.
Chinese that quotes English stays Chinese: a Han character carries about as much as an English word,
so the two are weighed by units, not by characters.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from tasks.text import CJK, KANA, prose

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LATIN = re.compile(r"[A-Za-zÀ-ɏ]+")
LETTER = re.compile(r"[^\W\d_²³¹]")
HANGUL = re.compile(r"[\uac00-\ud7af]")

# A model that is asked about four words guesses; below this many words a Latin text is English
# unless it has letters that English does not.
SURE_WORDS = 6
EUROPEAN = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "tr", "vi", "id", "sv", "ro", "cs"]


def detect(text: str) -> str:
    """`zh`, `en` or `other`; `other` where there is no letter at all."""
    text = prose(text) if LETTER.search(prose(text)) else text
    letters = sum(map(str.isalpha, text))
    if not letters:
        return "other"
    han, kana = len(CJK.findall(text)), len(KANA.findall(text))
    words = LATIN.findall(text)
    latin = sum(map(len, words))
    spoken = [w for w in words if len(w) > 1]  # a letter by itself is a variable or an option
    if han and kana < 0.15 * (han + kana) and han >= 0.45 * (han + len(spoken)) and han + latin >= 0.8 * letters:
        return "zh"
    if latin < 0.7 * letters:
        return "other"
    accented = sum(1 for word in words if not word.isascii())
    if len(words) < SURE_WORDS:
        return "other" if accented * 2 > len(words) else "en"
    return "en" if model().classify(" ".join(words))[0] == "en" else "other"


@cache
def model() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(EUROPEAN)
    return identifier
