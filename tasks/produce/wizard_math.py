"""WizardMath: problems are made harder step by step, and in a second line of descent easier.

After Luo et al., arXiv:2308.09583: downward to an easier form of the problem or an easier one on another topic, upward
by constraints, by making it specific and by more reasoning. How many rounds each way is our choice. Both lines begin
with the problem that came in. The loop and its eliminations are those of `evolution`: its judge is asked whether the
problem asks something else, which serves both ways. Give it problems alone: `only: {task_types: [mathematics]}`.

The elimination asks for a plain answer of each survivor. Where a recipe reasons before it answers mathematics, as it
does unless told otherwise, that answer is not the published one: a survivor is answered twice. `answer_check: false`
spares the first, and with it the elimination of problems that nobody can answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import NonNegativeInt

from tasks.produce.evolution import Evolution, Line

DOWNWARD = ("easier", "easier_elsewhere")
UPWARD = ("constraints", "concretise", "more_reasoning")


@dataclass(frozen=True, slots=True)
class WizardMath(Evolution):
    """Each problem, and generations of it that are easier and others that are harder.

    `down`: rounds in which the problem is made easier; 0: none.
    `up`: rounds in which it is made harder, from the first problem again; 0: none.
    """

    down: NonNegativeInt = 2
    up: NonNegativeInt = 3
    operations: ClassVar[tuple[str, ...]] = (*DOWNWARD, *UPWARD)
    calls: ClassVar[str] = "up to 3 x (down + up) a record, for each model"

    @property
    def lines(self) -> tuple[Line, ...]:
        return (Line(self.down, DOWNWARD), Line(self.up, UPWARD))
