"""Clean a record: control characters out, and what the recipe names. The text stays as its author wrote it.

HTML and boilerplate go, and forms are unified (`forms.py`), only where the recipe says so, and never inside
code. A record tagged `robust` (bad spelling that the model should learn to bear) loses its control characters and
nothing else.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from random import Random
from typing import ClassVar, Literal

from tasks.clean.forms import unified
from tasks.record import ROBUST, Record
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.text import FENCE, written

BLOCK = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "table"}
INLINE = re.compile(r"``[^\n]+?``|`[^`\n]+`")
QUOTED = re.compile(rf"({INLINE.pattern})")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>")


@dataclass(frozen=True, slots=True)
class Written:
    """Every turn without control characters; `html` strips tags, `boilerplate` takes out whole lines, `forms` names
    what is written in one way."""

    html: bool = False
    boilerplate: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        text = written if ROBUST in record.tags else self.text
        messages = tuple(replace(m, content=text(m.content)) for m in record.messages)
        said = {"student_response": written(record.student_response), "passage": text(record.passage)}
        cleaned = record.knowing(messages=messages, **said)
        if not (cleaned.passage if record.kind == "passages" else any(m.content for m in messages if m.role == "user")):
            return Outcome().dropping("empty")
        return Outcome.keeping(cleaned)

    def text(self, text: str) -> str:
        parts = FENCE.split(written(text))
        return written("".join(p if FENCE.fullmatch(p) else self.prose(p) for p in parts))

    def prose(self, text: str) -> str:
        if self.html and TAG.search(escaped := INLINE.sub(lambda m: html.escape(m[0], quote=False), text)):
            text = untagged(escaped)
        if self.boilerplate:
            text = "\n".join(line for line in text.split("\n") if line.strip() not in self.boilerplate)
        return self.unified(text) if self.forms else text

    def unified(self, text: str) -> str:
        """Prose in one form; code between backticks as it is."""
        parts = QUOTED.split(text)
        return "".join(p if QUOTED.fullmatch(p) else unified(p, self.forms) for p in parts)


class Reader(HTMLParser):
    """Collects what a reader of the page would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("script", "style")
        if tag in BLOCK:
            self.seen.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style") and self.hidden > 0

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.seen.append(data)


def untagged(text: str) -> str:
    """The text of an HTML fragment."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.seen))
