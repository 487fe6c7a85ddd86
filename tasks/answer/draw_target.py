"""Draw the target after the shot: where an answer breaks what its prompt asks, the prompt is edited to what it does.

Document 002: 200 words were asked and 189 given, so the prompt asks for 180 from now on. Edited are the record's
constraints and lengths that its last turn states in plain words, as a bound (at least 200 words, 不少于200字) or as a
bare figure (in 200 words, 一篇200字的短文); code checks that the answer keeps them afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, Literal

from tasks.constraint.register import NoConstraint, read, written
from tasks.constraint.target import Target
from tasks.constraint.wording import FILE
from tasks.record import Kind, Record
from tasks.step import USED, Outcome
from tasks.teacher.ask import Teacher

STEP = "draw_target"


@dataclass(frozen=True, slots=True)
class DrawTarget:
    """Each row as it is, or one with another prompt in its place (`used`), or none: `constraints_unmet`.

    `unreadable_constraints` ends a row whose constraints are not ours.
    """

    takes: ClassVar[Kind] = "rows"
    gives: ClassVar[Kind] = "rows"
    calls: ClassVar[str] = "0"
    reads: ClassVar[tuple[str, ...]] = (FILE,)
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        try:
            target = target_of(record)
        except NoConstraint as fault:
            return Outcome().dropping("unreadable_constraints", str(fault))
        missed = target.unmet(record.response)
        return retargeted(record, target, missed) if missed else Outcome.keeping(record)


def target_of(record: Record) -> Target:
    """What the last turn asks for. Raises NoConstraint."""
    return Target(record.instruction, tuple(map(read, record.constraints)))


def retargeted(record: Record, target: Target, missed: list[str]) -> Outcome:
    """The row with a prompt that its answer keeps, or why there is none."""
    drawn = target.drawn(record.response, record.language)
    if drawn is None:
        return Outcome().dropping("constraints_unmet", ", ".join(missed))
    return Outcome().dropping(USED).making(aimed(record, drawn, missed))


def aimed(record: Record, drawn: Target, missed: list[str]) -> Record:
    """A new row of a row's answer and a prompt that it keeps; rejected stays what breaks the new prompt too."""
    known: dict[str, Any] = {
        name: getattr(record, name) for name in ("input", "teacher", "prompt_tokens", "response_tokens", "reference")
    }
    turns = (*record.asking(drawn.prompt), record.messages[-1])
    rejected = tuple(text for text in record.rejected_answers if drawn.unmet(text))
    constraints = tuple(map(written, drawn.constraints))
    return record.derived(
        STEP, turns, detail=", ".join(missed), rejected_answers=rejected, constraints=constraints, **known
    )
