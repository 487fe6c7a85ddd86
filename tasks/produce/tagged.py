"""Tokens with tags (CoNLL, WikiAnn, MSRA) as a text and the entities that it names.

A tag is O or a mark and a kind: B-PER begins an entity, I-PER goes on with it; E, M and S are read as well, and an I
without a beginning begins one, as the oldest sets have it. Tokens of Chinese and Japanese are joined without a space,
others with one, but for marks that stand close to a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.text import CJK, KANA

TAG = re.compile(r"O|([BIESMLU])[-_](.+)")
STARTS, ENDS = "BSU", "ESL"
CLOSE = re.compile(r"[.,!?;:%)\]}…]+|['’](?:s|t|re|ve|ll|d|m)|n['’]t", re.IGNORECASE)
OPENING = ("(", "[", "{", "$", "#")
WIDE = re.compile(f"[{CJK.pattern[1:-1]}{KANA.pattern[1:-1]}\u3000-\u303f\uff00-\uffef“”‘’…—]")


def tagged(tokens: Any, tags: Any) -> bool:
    """Whether a row is of this form: tokens in a list, or tags in a text with spaces between them."""
    marks = pieces(tags) if isinstance(tags, str) else []
    return isinstance(tokens, list) or (bool(marks) and all(map(TAG.fullmatch, marks)))


def told(tokens: Any, tags: Any, names: Mapping[str, str]) -> tuple[str, list[dict[str, str]] | None]:
    """The text, and its entities as text and type; None for these where the tags do not fit the tokens.

    Tags may be numbers, which `names` gives names; so it does the kinds.
    """
    words, marks = pieces(tokens), pieces(tags)
    text, places = joined(words)
    named = [names.get(mark, mark) for mark in marks]
    if len(named) != len(words) or not all(map(TAG.fullmatch, named)):
        return text, None
    found = [(places[first][0], places[last][1], kind) for first, last, kind in spans(named)]
    return text, [{"text": text[start:end], "type": names.get(kind, kind)} for start, end, kind in found]


def kinds(names: Mapping[str, str]) -> list[str]:
    """What the recipe's names for tags and kinds call the kinds, each once."""
    found = [(TAG.fullmatch(name), name) for name in names.values()]
    called = [(match[2] or "") if match else name for match, name in found]
    return list(dict.fromkeys(names.get(kind, kind) for kind in called if kind))


def pieces(cell: Any) -> list[str]:
    """A cell's tokens or tags: a list, or a text with spaces between them."""
    given = cell if isinstance(cell, list) else cell.split() if isinstance(cell, str) else []
    return [str(one).strip() for one in given if one is not None]


def spans(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """The entities as first token, last token, kind."""
    found: list[tuple[int, int, str]] = []
    goes_on = ""
    for place, tag in enumerate(tags):
        mark, kind = ("", "") if tag == "O" else (tag[0], tag[2:])
        if kind and kind == goes_on and mark not in STARTS:
            found[-1] = (found[-1][0], place, kind)
        elif kind:
            found.append((place, place, kind))
        goes_on = "" if mark in ENDS else kind
    return found


def joined(words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The tokens as a text, and where each stands in it."""
    text, places = "", list[tuple[int, int]]()
    for word in words:
        text += " " * apart(text, word)
        places.append((len(text), len(text) + len(word)))
        text += word
    return text, places


def apart(before: str, word: str) -> bool:
    """Whether a space stands before a token."""
    if not before or not word or before.endswith(OPENING) or CLOSE.fullmatch(word):
        return False
    return not (WIDE.match(before[-1]) or WIDE.match(word[0]))
