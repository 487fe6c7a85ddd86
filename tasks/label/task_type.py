"""Label a prompt with a two-level task type and a domain, by a teacher with a constrained answer.

Document 002: no row without a task type, two levels, so that failures can be analysed by kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, create_model

from tasks.label.likely import likely
from tasks.prompt import load
from tasks.record import Record
from tasks.step import Outcome
from tasks.taxonomy import Kind, Taxonomy
from tasks.teacher.ask import Teacher
from tasks.teacher.invented import Asked, Supposed
from tasks.transcript import asked


@dataclass(frozen=True, slots=True)
class TaskType:
    """Every record with `task_type`, `subtype` and `domain`, or dropped as `unparsed`."""

    taxonomy: Taxonomy
    temperature: float = 0.0
    reasks: int = 1
    role: ClassVar[str] = "judge"
    prompts: ClassVar[tuple[str, ...]] = ("label/task_type", "reask")
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        if record.task_type and record.domain:  # what a technique makes of a labelled prompt keeps its labels
            return Outcome.keeping(record)
        prompt = load("label/task_type", record.language)
        types, domains = self.taxonomy.listed(record.language)
        sent = prompt.fill(types=types, domains=domains, conversation=asked(record))
        label, reply = await teacher.ask_json(
            sent, labelled(self.taxonomy), record.language, self.temperature, reasks=self.reasks
        )
        if label is None:
            return Outcome().dropping("unparsed", f"label: {reply.text[:200]}")
        task_type, _, subtype = label.task_type.partition("/")
        known = {"task_type": task_type, "subtype": subtype, "domain": label.domain}
        return Outcome.keeping(record.stamped("label/task_type", prompt.sha256, teacher.model, **known))

    def example(self, asked: Asked) -> Supposed:
        """For a plan: the task type that the prompt is likely to have. Where the taxonomy does not have that one, a
        type that a later step waits for: rather more calls than there will be than fewer."""
        types, given = [k.name for k in self.taxonomy.types], asked.given
        kind = likely("\n".join(given[turn] for turn in ("user", "input") if turn in given))
        waited_for = [name for name in types if name.partition("/")[0] in asked.awaited]
        chosen = kind if kind in types else asked.chance.choice(waited_for or types)
        return {"task_type": chosen, "domain": asked.chance.choice(self.taxonomy.domains).name}


class Label(BaseModel):
    """What the teacher says of a prompt; the task type as `type/subtype`."""

    task_type: str
    domain: str


@cache
def labelled(taxonomy: Taxonomy) -> type[Label]:
    """The shape of the answer: nothing but names of the taxonomy."""
    return create_model(
        "Labelled",
        __base__=Label,
        task_type=(one_of(taxonomy.types), ...),
        domain=(one_of(taxonomy.domains), ...),
    )


def one_of(kinds: tuple[Kind, ...]) -> Any:
    return Literal[tuple(k.name for k in kinds)]
