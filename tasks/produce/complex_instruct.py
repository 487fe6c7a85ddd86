"""Complex instructions: several constraints at once, which code can check, are added to a prompt (document 002).

Constraints are drawn by dice from those that fit the prompt and do not contradict each other; a teacher supplies the
words that some of them need. The record keeps them in `constraints`, for whoever answers and for the gates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, PositiveInt, StringConstraints

from tasks.constraint.bare import lengths
from tasks.constraint.draw import Material, drawn
from tasks.constraint.kind import Constraint
from tasks.constraint.length import Paragraphs
from tasks.constraint.register import written
from tasks.constraint.wording import FILE, worded
from tasks.hanzi import simplified
from tasks.prompt import load
from tasks.record import Kind, Record
from tasks.setting import Temperature
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.teacher.invented import Asked, Supposed
from tasks.text import units

VERSE = re.compile(
    r"\b(?:poem|verse|haiku|sonnet|limerick|lyrics|rhym\w+)\b|[诗词](?!典|汇|语|条|组|源)|歌词|对联|绝句|律诗", re.I
)
ONE_PARAGRAPH = re.compile(r"\b(?:a|one|single)(?: [a-z]+)? paragraph\b|一小?段(?![时路距感旅婚历恋音视代程])", re.I)
FEW = re.compile(
    r"\b(?:a few|one or two|two or three|a couple of|one|a single)(?: short| brief)? (?:sentences?|lines?)\b"
    r"|[一几](?:[两二三])?句话?(?!子)|[两二]三句话?|三言两语",
    re.I,
)
LINES = {"en": "\n\nRequirements:\n", "zh": "\n\n要求：\n"}
Phrase = Annotated[str, StringConstraints(strip_whitespace=True)]
LONGEST = 40
BRIEF = {"en": 40, "zh": 60}  # words, characters: a text to be rewritten that is no longer is a sentence or two
MARKUP = frozenset('“”"「」{}<>[]*`\\')


class Fitting(BaseModel):
    """Words that fit a request."""

    keywords: list[Phrase]
    avoid: list[Phrase]
    opening: Phrase
    closing: Phrase


@dataclass(frozen=True, slots=True)
class ComplexInstruct:
    """Each prompt of `task_types` and, beside it, one with constraints; others as they are.

    A prompt for which fewer fit than the least has none made of it. Reasons: `few_constraints`.

    `task_types`: the task types of the taxonomy that are given constraints.
    `least`, `most`: between how many constraints are drawn for a prompt.
    """

    task_types: tuple[str, ...] = ("writing", "rewriting", "ideas", "summarization", "role_play")
    least: PositiveInt = 2
    most: PositiveInt = 5
    temperature: Temperature = 0.7
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "prompts"
    calls: ClassVar[str] = "1 a record of the task types"
    role: ClassVar[str] = "teacher"
    prompts: ClassVar[tuple[str, ...]] = ("complex_instruct/material", "reask")
    reads: ClassVar[tuple[str, ...]] = (FILE,)
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        kept = Outcome.keeping(record)
        if record.task_type not in self.task_types or record.constraints:
            return kept
        sent = load("complex_instruct/material", record.language).fill(request=record.instruction)
        fitting, _ = await teacher.ask_json(sent, Fitting, record.language, self.temperature)
        if fitting is None:
            return kept.noting("unreadable_reply")
        taken = bounds(record.instruction)
        chosen = drawn(dice, material(record, fitting), dice.randint(self.least, self.most), taken)
        made = record.derived(
            sent.name,
            record.asking(record.instruction + asked(chosen, record.language, dice)),
            sent.sha256,
            teacher.model,
            input=record.input,
            constraints=tuple(map(written, chosen)),
        )
        return kept.making(made) if len(chosen) >= self.least else kept.eliminating(made, "few_constraints")

    def example(self, asked: Asked) -> Supposed:
        """For a plan: words as short as they are wanted."""
        one, some = asked.words(2), [asked.words(2) for _ in range(8)]
        return {"keywords": some[:5], "avoid": some[5:], "opening": one, "closing": one}


def material(record: Record, fitting: Fitting) -> Material:
    """The reply's words as far as they can be asked for: short, in one line, and the prompt's own not forbidden."""
    brief = BRIEF["zh" if record.language == "zh" else "en"]
    return Material(
        record.instruction,
        record.language,
        tuple(dict.fromkeys(w for w in fitting.keywords if usable(w))),
        tuple(dict.fromkeys(w for w in fitting.avoid if usable(w) and w.lower() not in record.instruction.lower())),
        fitting.opening if usable(fitting.opening) else "",
        fitting.closing if usable(fitting.closing) else "",
        verse=record.subtype == "verse" or bool(VERSE.search(record.instruction)),
        code=record.task_type == "code",
        brief=bool(FEW.search(simplified(record.instruction)))
        or (record.task_type == "rewriting" and units(f"{record.instruction}\n{record.input}") <= brief),
    )


def bounds(prompt: str) -> tuple[Constraint, ...]:
    """What the prompt says of the answer's length already, which no constraint may contradict."""
    one = (Paragraphs(1, 1),) if ONE_PARAGRAPH.search(simplified(prompt)) else ()
    return (*one, *(s.length for s in lengths(prompt)))


def usable(words: str) -> bool:
    """Whether words of a reply can stand in quotes within a prompt."""
    return 0 < len(words) <= LONGEST and words.isprintable() and not set(words) & MARKUP and words[0].isalnum()


def asked(constraints: tuple[Constraint, ...], language: str, dice: Random) -> str:
    """The constraints as they are put to the answerer: in one go, or as a numbered list."""
    said = [worded(c, language, dice) for c in constraints]
    told = "zh" if language == "zh" else "en"
    if dice.random() < 0.5:
        return LINES[told] + "\n".join(f"{i}. {words}" for i, words in enumerate(said, 1))
    return "\n" + ("" if told == "zh" else " ").join(said)
