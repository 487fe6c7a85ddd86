"""WizardCoder: Evol-Instruct for programming tasks, with five heuristics of its own.

Luo et al., arXiv:2306.08568: one more constraint, a rarer requirement, more reasoning, erroneous code that misleads,
and limits on time and space, which the paper wants used sparingly: here they are drawn half as often as the others.
Three rounds, and nothing in breadth. The loop and its eliminations are those of `evolution`. Give it programming tasks
alone: `only: {task_types: [code]}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import PositiveInt

from tasks.produce.evolution import Evolution, Line

OFTEN = ("constraints", "rarer_requirement", "more_reasoning", "erroneous_code")
SPARINGLY = ("limits",)


@dataclass(frozen=True, slots=True)
class WizardCoder(Evolution):
    """Each programming task, and up to `rounds` generations of it.

    `rounds`: how often a task is rewritten, each time the last one that survived.
    """

    rounds: PositiveInt = 3
    operators: tuple[str, ...] = (*OFTEN, *OFTEN, *SPARINGLY)
    operations: ClassVar[tuple[str, ...]] = (*OFTEN, *SPARINGLY)
    calls: ClassVar[str] = "up to 3 x rounds a record, for each model"

    @property
    def lines(self) -> tuple[Line, ...]:
        return (Line(self.rounds, self.operators),)
