"""Fenced blocks of a Markdown text."""

from __future__ import annotations

import re
from dataclasses import dataclass

OPENS = re.compile(r"^([ \t]*(?:>[ \t]?)*)(`{3,}|~{3,})[ \t]*([^\s`{]*)[^`]*$")
PLAIN = frozenset({"", "text", "txt", "plaintext", "markdown", "md"})


@dataclass(frozen=True, slots=True)
class Block:
    """A closed block: the language that it names, in lower case; its text; the last line of prose before it."""

    language: str
    text: str
    before: str


def blocks(text: str) -> list[Block]:
    """The closed blocks, without the indent of their fence."""
    found: list[Block] = []
    inside: list[str] = []
    before, indent, mark, language = "", "", "", ""
    for line in text.splitlines():
        if mark:
            if line.strip(" \t>").startswith(mark) and not line.strip(" \t>").strip(mark[0]):
                found.append(Block(language, "\n".join(inside), before))
                mark = before = ""
            else:
                inside.append(line.removeprefix(indent))
        elif opened := OPENS.match(line):
            indent, mark, language, inside = opened[1], opened[2], opened[3].lower(), []
        elif line.strip():
            before = line
    return found


def unwrapped(text: str) -> str:
    """The text itself where a model put a fence around the whole of it; a block of code is left as it is."""
    whole, lines = blocks(text), text.strip().splitlines()
    if len(whole) != 1 or whole[0].language not in PLAIN or whole[0].text != "\n".join(lines[1:-1]):
        return text
    return whole[0].text.strip()
