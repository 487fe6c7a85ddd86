"""Turns that ask for nothing: greetings, thanks and goodbyes, and small talk (document 004: pairs that are fished
out of small talk are too dear).

A turn is dropped only where it is made of listed phrases and nothing else; what a list cannot tell is kept. `Yes,
thanks` and `好的` mean something where a question came before, so whether they count depends on that question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import yaml

from tasks.mine.ask import Ask
from tasks.mine.form import FORMULA
from tasks.recipe import PROJECT

PHRASES = "data/greetings.yaml"
MARKS = re.compile(r"[\W_]+")
APOSTROPHE = re.compile(r"['’]")
LONGEST = 100
TAIL = 300
ASKING = re.compile(
    r"[?？]|\b(let me know|tell me|reply|say|type|would you|should i|shall|do you|confirm\w*|make sure)\b"
    r"|\b(what|how) about\b"
    r"|告诉我|回复|回答我|请|如果|要不要|是否|[吗呢么][。！~]*\s*\Z",
    re.I,
)
WHAT_ELSE = re.compile(
    r"(anything|something|what) else|any other|further|more (questions|help)|assist you (further|with)"
    r"|(其[他它]|别的|还有).{0,12}[？?]|还需要.{0,12}[？?]",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Greeting:
    """Nothing but greetings, thanks and closings, however often: `谢谢谢谢！`, `No thanks, that's all for now.`"""

    reads: ClassVar[tuple[str, ...]] = (PHRASES,)

    def __call__(self, ask: Ask) -> str | None:
        return "greeting" if idle(ask, ()) else None


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """A reaction or a mood, and nothing asked: `haha that's so funny`, `我今天好累啊`."""

    reads: ClassVar[tuple[str, ...]] = (PHRASES,)

    def __call__(self, ask: Ask) -> str | None:
        return "small_talk" if open_to(ask.before) and idle(ask, ("small_talk",)) else None


def idle(ask: Ask, also: tuple[str, ...]) -> bool:
    said = MARKS.sub(" ", APOSTROPHE.sub("", ask.folded)).strip()
    if not said or len(said) > LONGEST or ask.robust or FORMULA.search(ask.folded):
        return False
    always = ("greetings", "closings", "tails", *also)
    if not ask.before or any(p.search(said) for p in phrases()["closings"]):
        always += ("answers", "agreeing")
    elif open_to(ask.before) or WHAT_ELSE.search(ask.before[-TAIL:]):
        always += ("answers",)
    return made_of(said, always)


def open_to(before: str) -> bool:
    """Whether the model's turn before left nothing to answer."""
    return not ASKING.search(before[-TAIL:])


@cache
def phrases() -> dict[str, tuple[re.Pattern[str], ...]]:
    """The listed phrases by group; each takes Chinese particles and a number after it."""
    listed: dict[str, list[str]] = yaml.safe_load((PROJECT / PHRASES).read_text("utf-8"))
    return {group: tuple(map(pattern, words)) for group, words in listed.items()}


def pattern(words: str) -> re.Pattern[str]:
    """A phrase of the list, which may be a regular expression, where it ends with a word."""
    return re.compile(rf"(?<![a-z])(?:{words})[了啊呀哦呢啦哈嘛吧哟噢]*(?: |(?<=[\u4e00-\u9fff])|\Z)(?:\d+(?: |\Z))*")


def made_of(said: str, groups: Iterable[str]) -> bool:
    """Whether a text is phrases of these groups and nothing else; a tail cannot stand first. One pattern for all
    of them would try every way to cut `嗯嗯嗯嗯…` into pieces, and there are millions."""
    words = [(group, p) for group in groups for p in phrases()[group]]
    reached = {0}
    for at in range(len(said)):
        if at in reached:
            reached |= {f.end() for group, p in words if (at or group != "tails") and (f := p.match(said, at))}
    return len(said) in reached
