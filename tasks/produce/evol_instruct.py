"""Evol-Instruct: a model makes a prompt harder, or makes a rarer one of it, a few rounds in a row.

Xu et al., WizardLM, arXiv:2304.12244: five operations in depth and one in breadth, drawn alike, four rounds. The loop
and its eliminations stand in `evolution` and `elimination`, with where they depart. With `models`, several models
evolve the same prompt and the best goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import PositiveInt

from tasks.produce.evolution import Evolution, Line

DEPTH = ("add_constraints", "deepen", "concretise", "more_reasoning", "complicate_input")
BREADTH = ("breadth",)


@dataclass(frozen=True, slots=True)
class EvolInstruct(Evolution):
    """Each prompt, and up to `rounds` generations of it.

    `rounds`: how often a prompt is rewritten, each time the last one that survived.
    """

    rounds: PositiveInt = 4
    operators: tuple[str, ...] = (*DEPTH, *BREADTH)
    operations: ClassVar[tuple[str, ...]] = (*DEPTH, *BREADTH)
    elsewhere: ClassVar[tuple[str, ...]] = BREADTH
    calls: ClassVar[str] = "up to 3 x rounds a record, for each model"

    @property
    def lines(self) -> tuple[Line, ...]:
        return (Line(self.rounds, self.operators),)
