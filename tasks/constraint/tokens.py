"""Tokens that a program looks for in an answer: <<…>>, and placeholders in square brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from tasks.constraint.counted import Counted
from tasks.constraint.kind import aspects

MARKED = re.compile(r"<<[^<>\n]+>>")
PLACEHOLDER = re.compile(r"(?<!!)\[(?![ xX]\])[^\[\]\n]+\](?![(\[])")


@dataclass(frozen=True, slots=True)
class SpecialTokens(Counted):
    """Passages between << and >>."""

    sets: ClassVar[frozenset[str]] = aspects("tokens")

    def count(self, text: str) -> int:
        return len(MARKED.findall(text))


@dataclass(frozen=True, slots=True)
class Placeholders(Counted):
    """Placeholders such as [address]; links, images and check boxes are none."""

    sets: ClassVar[frozenset[str]] = aspects("tokens")

    def count(self, text: str) -> int:
        return len(PLACEHOLDER.findall(text))
