"""What every rewording of a prompt is held against, and how many of its words are new.

Code looks first: language, numbers, quoted text, code. What passes there a judge compares with the first prompt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from pydantic import BaseModel

from tasks.hanzi import traditional
from tasks.language import LETTER, detect
from tasks.produce.figures import LISTED, changed, digits
from tasks.produce.verbatim import code_lost, literal, own, quote_lost
from tasks.prompt import load
from tasks.record import ROBUST, Message, Record
from tasks.step import Drop, Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.teacher.tokens import tokens
from tasks.text import key
from tasks.transcript import asked, transcript

JUDGE = "judge"
SAME_TASK = "rewording/same_task"
OTHER = {"en": "zh", "zh": "en"}  # the language that a prompt is translated into
UNIT = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
BANDS = ((0.25, "under_25"), (0.5, "25_to_50"), (0.75, "50_to_75"), (2.0, "over_75"))
Look = Callable[[Record], Drop | None]


class Reworded(BaseModel):
    """A text in other words."""

    text: str


class SameTask(BaseModel):
    """What the judge says of a rewording."""

    reason: str
    is_request: bool
    same_task: bool


def rewordable(record: Record) -> bool:
    """Whether a user asks last, and the spelling is not what the record is for."""
    return bool(record.ask) and record.ask[-1].role == "user" and ROBUST not in record.tags


def supposed(asked: Asked, into: str) -> Supposed:
    """For a plan: other words in this language, and all that has to stay."""
    request = asked.given.get("request", "")
    length = max(8, tokens(own(request)))
    return {"text": "\n".join([asked.words(length, into), *kept(request)])} if asked.shape == "reworded" else None


def earlier(record: Record) -> str:
    """What stands around the last request: the turns before it and the input that goes with it."""
    return transcript([*record.ask[:-1], *[Message("input", record.input)] * bool(record.input)])


def fault(before: str, after: str, language: str, quotes: bool = True) -> tuple[str, str] | None:
    """What code can see is wrong with a text in another's place: a reason and its detail, or None."""
    if (said := spoken(after)) != language:
        return "language_changed", said
    if lost := changed(before, after):
        return "numbers_changed", lost
    if lost := code_lost(before, after):
        return "code_changed", lost
    if quotes and (lost := quote_lost(before, after)):
        return "quote_changed", lost
    return None


async def renewed(record: Record, candidates: Sequence[Record], judge: Teacher, least: float) -> Outcome:
    """The record, and the candidates that hold against it in its own language with at least this share of new words.
    How new their words are is noted in bands, so that a way of rewording that makes no difference shows."""

    def look(candidate: Record) -> Drop | None:
        if found := fault(record.instruction, candidate.instruction, spoken(record.instruction)):
            return Drop(*found)
        if traditional(record.instruction) and not traditional(candidate.instruction):
            return Drop("script_changed", "traditional characters came back as simplified ones")
        share = new_words(record.instruction, candidate.instruction)
        return Drop("unchanged", f"{share:.0%} new") if share < least else None

    outcome = await sifted(record, candidates, judge, look)
    bands = [band(new_words(record.instruction, made.instruction)) for made in outcome.out[1:]]
    return replace(outcome, noted=tuple(bands))


def kept(text: str) -> list[str]:
    """The numbers, quotes and code of a text, as `fault` looks for them."""
    return [*literal(text), *digits(LISTED.sub(" ", text)).values()]


async def sifted(record: Record, candidates: Sequence[Record], judge: Teacher, look: Look) -> Outcome:
    """The record, the candidates that hold against it, and the others with what is wrong with each."""
    faults = [look(c) for c in candidates]
    left = [c for c, wrong in zip(candidates, faults, strict=True) if wrong is None]
    verdicts = iter(await together(compared(record, c, judge) for c in left))
    outcome = Outcome.keeping(record)
    for candidate, wrong in zip(candidates, faults, strict=True):
        drop = wrong or verdict_drop(next(verdicts))
        outcome = outcome.eliminating(candidate, drop.reason, drop.detail) if drop else outcome.making(candidate)
    return outcome


async def compared(before: Record, after: Record, judge: Teacher) -> SameTask | None:
    sent = load(SAME_TASK, before.language).fill(before=asked(before), after=asked(after))
    return (await judge.ask_json(sent, SameTask, before.language))[0]


def verdict_drop(said: SameTask | NoAnswer | None) -> Drop | None:
    if said is None or isinstance(said, NoAnswer):
        return Drop("unjudged", said.reason if said else "")
    if not said.is_request:
        return Drop("answered_instead", said.reason)
    return None if said.same_task else Drop("meaning_changed", said.reason)


def unread(replies: Iterable[Reworded | NoAnswer | None]) -> tuple[str, ...]:
    """The names of replies that gave no text."""
    failed = (r for r in replies if not isinstance(r, Reworded))
    return tuple(r.reason if r else "unreadable_reply" for r in failed)


def spoken(text: str) -> str:
    """The language in which a text asks, whatever it quotes: a sentence to be translated is in another one. Where its
    own words are too few to tell, it is that of the whole."""
    said = own(text)
    language = detect(said) if LETTER.search(said) else "other"
    return detect(text) if language == "other" else language


def new_words(before: str, after: str) -> float:
    """The share of the pairs of neighbouring words (characters of Chinese) in `after` that `before` does not have.

    What is quoted does not count: it has to stay, and where it is long it would leave no share to anything else.
    """
    old, new = pairs(before), pairs(own(after))
    return sum(pair not in old for pair in new) / len(new) if new else float(key(before) != key(after))


def pairs(text: str) -> set[tuple[str, str]]:
    said = UNIT.findall(key(text))
    return set(pairwise(said))


def band(share: float) -> str:
    """The name under which the tally counts a share of new words."""
    return "new_words_" + next(name for most, name in BANDS if share < most)
