"""The parts of a text that stay letter by letter, whoever rewords or misspells it: code, addresses, placeholders,
quotes.

Numbers are a case of their own when a text is reworded (they may be spelled out, see `figures`); when it is
misspelled they stay as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tasks.produce.figures import HAN
from tasks.text import FENCE, key

CODE = re.compile(r"`[^`\n]+`")
ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s<>\"“”「」（）()，。；！？、\u4e00-\u9fff]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|/(?:[\w.-]+/)+[\w.-]*"
)
PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]*_\d+\]|\{\{?\w+\}?\}|</?\w+[^<>\n]*>")
QUOTED = re.compile(r"“([^”\n]+)”|「([^」\n]+)」|『([^』\n]+)』|《([^》\n]+)》|\"([^\"\n]+)\"|(?<!\w)'([^'\n]+)'(?!\w)")
NUMBER = re.compile(r"[\w.,:/-]*\d[\w.,:/%-]*", re.ASCII)
CODE_LINE = re.compile(
    r"^(?: {4}|\t).*$|^.*(?:[{};]|\w\(\S*\)[:;]?|=>)[ \t]*$|^\s*[\w.\[\]\"']+\s*=.*$|^\s*[>$#] .*$|^.*\|.*\|.*$",
    re.MULTILINE,
)
FORMULA = re.compile(r"\$[^$\n]+\$|\\\(.+?\\\)|\\\[.+?\\\]|[\w().]+(?:\s*[-+*/^=<>×÷]\s*[\w().]+)+", re.ASCII)
NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w'’-]+")  # a capital in the middle of a sentence

MISSPELLED_NEVER = (FENCE, CODE_LINE, CODE, ADDRESS, PLACEHOLDER, QUOTED, FORMULA, NUMBER, HAN, NAME)


def free(text: str) -> list[bool]:
    """For each character whether it may be misspelled."""
    allowed = [True] * len(text)
    for pattern in MISSPELLED_NEVER:
        for found in pattern.finditer(text):
            allowed[found.start() : found.end()] = [False] * (found.end() - found.start())
    return allowed


def own(text: str) -> str:
    """What its author says, without what is quoted: the task, and not the material."""
    for pattern in (FENCE, CODE, ADDRESS, PLACEHOLDER, QUOTED):
        text = pattern.sub(" ", text)
    return text


def literal(text: str) -> list[str]:
    """The pieces of code, addresses, placeholders and quotes of a text."""
    rest = FENCE.sub(" ", text)
    found = (m[0] for pattern in (CODE, ADDRESS, PLACEHOLDER, QUOTED) for m in pattern.finditer(rest))
    return [*(piece.strip() for piece in FENCE.findall(text)), *found]


def code_lost(before: str, after: str) -> str:
    """The first piece of code, address or placeholder that a rewording does not have; empty where it has all."""
    whole = [f.strip() for f in FENCE.findall(before)]
    rest = FENCE.sub(" ", before)
    parts = [f[0].rstrip(".,;:!?") for pattern in (CODE, ADDRESS, PLACEHOLDER) for f in pattern.finditer(rest)]
    return missing([*whole, *parts], after)


def quote_lost(before: str, after: str) -> str:
    """The first quoted text that a rewording does not have, in whatever quote marks."""
    said = [next(filter(None, found.groups())) for found in QUOTED.finditer(FENCE.sub(" ", before))]
    return missing([key(q).strip(" .,;:!?，。；：！？、") for q in said], key(after))


def missing(parts: Sequence[str], text: str) -> str:
    return next((part for part in parts if part not in text), "")
