"""What an answer must pass before it is published, and before a small model learns from it."""

from __future__ import annotations

from flows.stage import Work
from tasks.gate.rows import RowGates
from tasks.gate.student import FitsStudent
from tasks.gate.task import gate
from tasks.judge.task import judge
from tasks.judge.verdict import Judged
from tasks.recipe import Recipe


def checks(recipe: Recipe) -> list[Work]:
    """The judge, the row gates and, where the recipe names a student, whether a row fits it."""
    rows = recipe.gates.rows
    return [
        (judge, Judged(recipe.judging.reasks)),
        (gate, RowGates(recipe.judging.min_score, rows.loose_punctuation, rows.off, rows.chatter)),
        *([(gate, FitsStudent(recipe.student))] if recipe.student else []),
    ]
