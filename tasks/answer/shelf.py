"""The techniques that answer, by the names that a recipe's `answer.chain` knows. A new one is a line here."""

from __future__ import annotations

from tasks.technique import Shelf

ANSWER = Shelf(
    "answer",
    "answer.chain",
    {
        "distill": "tasks.answer.distill:Distill",
    },
)
