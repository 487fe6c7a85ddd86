"""What a run cost: a row for each stage and model, from the attempts in the call store and the hits of its purse."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from flows.bill import TOTAL, Row
from tasks.teacher.budget import Purse
from tasks.teacher.calls import reading
from tasks.teacher.costs import ALL, MODELS, Cost
from tasks.teacher.costs import costs as counted
from tasks.teacher.count import Asked
from tasks.teacher.sight import share


def costs(calls: Path, run: str, purse: Purse, accepted: int) -> list[Row]:
    """A row for each model of each stage that asked, and their sum under `total`; none where nobody was asked.

    Calls, tokens and money are the whole run's, with what earlier tries of it spent; hits, the share of questions that
    were hits, and what is `unpriced` are this try's. `usd_per_row` is for each of the `accepted` rows.
    """
    by_model, whole = of_store(calls, run) if calls.is_file() else ([], [])
    found = {(c.stage, c.model): c for c in by_model}
    names = [*found, *(n for n, a in purse.asked.items() if a.spent.hits and n not in found)]
    if not names:
        return []
    rows = [row(found.get(n) or nothing(*n), purse.asked.get(n, Asked()), accepted) for n in names]
    total = row(whole[0] if whole else nothing("", ""), sum(purse.asked.values(), Asked()), accepted)
    return [r | {"unpriced": r["model"] in purse.unpriced} for r in rows] + [
        total | {"stage": TOTAL, "unpriced": bool(purse.unpriced) and not total["usd"]}
    ]


def of_store(calls: Path, run: str) -> tuple[list[Cost], list[Cost]]:
    with reading(calls) as link:
        return counted(link, MODELS, run), counted(link, ALL, run)


def nothing(stage: str, model: str) -> Cost:
    return Cost(stage, model, {}, 0, 0, 0, 0.0, None, None)


def row(cost: Cost, asked: Asked, accepted: int) -> Row:
    hits = asked.spent.hits
    more = {"calls": cost.calls, "hits": hits, "hit_rate": share(hits, asked.missed)}
    return asdict(cost) | more | {"usd_per_row": cost.usd / accepted if accepted else None}
