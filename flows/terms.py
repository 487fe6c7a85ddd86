"""What the gates on the staged files are held against: the recipe's own values, and the last version's figures."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.gate.suite import Terms
from tasks.history.dataset import Dataset, read_manifest
from tasks.recipe import Recipe
from tasks.taxonomy import Taxonomy


def terms(recipe: Recipe, dataset: Dataset, ledger: Mapping[str, int]) -> Terms:
    """`ledger` is state -> log rows of the run that is about to publish."""
    parameters = {"task_types": list(Taxonomy.read(recipe.label.taxonomy).first_level)}
    if recipe.student:
        parameters |= {"max_sequence": recipe.student.max_sequence}
    now = {"yield": turnout(ledger)}
    base = dataset.base
    if not base:
        return Terms(parameters, recipe.student, now=now)
    parent = dataset.versions / base
    rows = sum(read_manifest(parent)["splits"].values())
    before = {"rows": float(rows), "yield": turnout(dataset.publishing(base).ledger)}
    return Terms(parameters, recipe.student, str(parent), now, before)


def turnout(ledger: Mapping[str, int]) -> float:
    """New rows for each log row that came to an end in a run: the rows seen before, and those that wait, are none."""
    ended = sum(n for state, n in ledger.items() if state not in ("seen", "pending"))
    return ledger.get("published", 0) / ended if ended else 0.0
