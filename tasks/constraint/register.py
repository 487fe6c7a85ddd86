"""Every kind of constraint by name, how one is written down and read again, and which contradict each other."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from itertools import combinations
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasks.constraint.data import Json
from tasks.constraint.ends import ClosesWith, OpensWith, Postscript, RepeatsPrompt, TwoResponses
from tasks.constraint.keywords import Forbidden, KeywordCount, Keywords
from tasks.constraint.kind import Constraint, named
from tasks.constraint.layout import Bold, Bullets, CodeBlock, Headings, Numbered, Table, Title
from tasks.constraint.length import Characters, Lines, Paragraphs, Sentences, Words
from tasks.constraint.letters import CapitalWords, LetterCount, LowerCase, UpperCase
from tasks.constraint.marks import ChineseQuotes, Emoji, FullWidth, InLanguage, NoCommas
from tasks.constraint.tokens import Placeholders, SpecialTokens
from tasks.constraint.verse import Meter, Rhyme

LENGTH = (Words, Characters, Sentences, Paragraphs, Lines)
WORDING = (Keywords, KeywordCount, Forbidden, LetterCount, CapitalWords, UpperCase, LowerCase)
LAYOUT = (Bullets, Numbered, Headings, Bold, Title, Table, CodeBlock, Json)
ENDS = (OpensWith, ClosesWith, Postscript, RepeatsPrompt, TwoResponses)
MARKS = (NoCommas, FullWidth, ChineseQuotes, Emoji, InLanguage, SpecialTokens, Placeholders)
VERSE = (Meter, Rhyme)
KINDS: dict[str, type[Constraint]] = {named(kind): kind for kind in (*LENGTH, *WORDING, *LAYOUT, *ENDS, *MARKS, *VERSE)}


class NoConstraint(ValueError):
    """A text that is no constraint of ours, or one whose values cannot be."""


def written(constraint: Constraint) -> str:
    """A constraint as JSON, as a record keeps it."""
    return json.dumps({"kind": constraint.name, **asdict(constraint)}, ensure_ascii=False)


def read(text: str) -> Constraint:
    """The reverse of `written`. Raises NoConstraint, which says what is wrong."""
    try:
        plain: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise NoConstraint(f"not JSON: {text[:80]}") from None
    if not isinstance(plain, dict) or str(plain.get("kind")) not in KINDS:
        raise NoConstraint(f"no kind of constraint that is known: {text[:80]}")
    kind = KINDS[str(plain.pop("kind"))]
    if strange := sorted(plain.keys() - {f.name for f in fields(kind)}):
        raise NoConstraint(f"{named(kind)} has no {strange[0]}")
    try:
        return TypeAdapter(kind).validate_python(plain)
    except ValidationError as faults:
        raise NoConstraint(f"{named(kind)}: {faults.errors()[0]['msg']}") from None


def contradict(one: Constraint, other: Constraint) -> bool:
    """Whether the two may not be asked together.

    Careful rather than exact: two of a kind, two that set the same, one that sets what the other needs, and a ban on
    what the other wants.
    """
    shared = one.sets & (other.sets | other.needs) or other.sets & one.needs
    banned = any(a.bans and not all(map(a.holds, b.wanted)) for a, b in ((one, other), (other, one)))
    return type(one) is type(other) or bool(shared) or banned


def compatible(constraints: tuple[Constraint, ...]) -> bool:
    """Whether no two of them contradict each other."""
    return not any(contradict(a, b) for a, b in combinations(constraints, 2))


def unmet(constraints: tuple[Constraint, ...], text: str) -> list[Constraint]:
    """Those that a text breaks."""
    return [c for c in constraints if not c.holds(text)]
