"""Text as written, and its key.

What is asked and published is the text as its author wrote it. The key is its folded form, for matching
alone: two texts with one key are the same question to us. Nothing else may be done with a key.
"""

from __future__ import annotations

import re
import unicodedata

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u200b\u2060\ufeff\ufff9-\ufffb\ud800-\udfff]")
BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
NEWLINE = re.compile(r"\r\n?|\x85|\u2028|\u2029")
SPACE = re.compile(r"\s+")
CJK = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
KANA = re.compile(r"[\u3040-\u30ff\u31f0-\u31ff]")
COUNTED = re.compile(f"[{CJK.pattern[1:-1]}{KANA.pattern[1:-1]}]+")
FENCE = re.compile(r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z))", re.DOTALL)


def written(text: str) -> str:
    """The text without characters that no reader sees and no trainer wants; one kind of line end.

    Zero-width joiners stay: emoji and several scripts are spelled with them.
    """
    return CONTROL.sub("", BIDI.sub("", NEWLINE.sub("\n", text))).strip("\n").rstrip()


def key(text: str) -> str:
    """The folded form for matching: NFKC, lower case, white space runs as one space."""
    return SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip().lower()


def units(text: str) -> int:
    """Length as a reader feels it: one for each CJK character, one for each word of other scripts."""
    if text.isascii():
        return len(text.split())
    return sum(map(len, COUNTED.findall(text))) + len(COUNTED.sub(" ", text).split())


def prose(text: str) -> str:
    """The text without its fenced code."""
    return FENCE.sub(" ", text)
