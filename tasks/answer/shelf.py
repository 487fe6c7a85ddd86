"""The techniques that answer, by the names that a recipe's `answer.chain` knows. A new one is a line here."""

from __future__ import annotations

from tasks.technique import Shelf

ANSWER = Shelf(
    "answer",
    "answer.chain",
    {
        "distill": "tasks.answer.distill:Distill",
        "self_correct": "tasks.answer.self_correct:SelfCorrect",
        "draw_target": "tasks.answer.draw_target:DrawTarget",
        "rejection_sampling": "tasks.answer.rejection_sampling:RejectionSampling",
        "run_code": "tasks.answer.run_code:RunCode",
        "reversed_pairs": "tasks.answer.reversed_pairs:ReversedPairs",
        "meta_reasoning": "tasks.answer.meta_reasoning:MetaReasoning",
        "multi_teacher": "tasks.answer.multi_teacher:MultiTeacher",
        "rewrite_answer": "tasks.answer.rewrite_answer:RewriteAnswer",
        "tree_of_thoughts": "tasks.answer.tree_of_thoughts:TreeOfThoughts",
    },
)
