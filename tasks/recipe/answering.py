"""How the teacher answers and how answers are judged."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tasks.recipe.part import Part
from tasks.recipe.small_model import SmallModelAnswers


class Answer(Part):
    """How the teacher answers."""

    chain: list[str | dict[str, dict[str, Any] | None]] = Field(
        default=[],
        description="Techniques that answer, in order, each with its settings and `only`; [] for distill alone. What "
        "is not answered by then is distilled. flywheel techniques lists them.",
    )
    chain_of_thought_for: list[str] = Field(
        default=["mathematics", "reasoning"], description="Task types where the teacher reasons first; [] for none."
    )
    tier_for: dict[str, str] = Field(
        default={}, description="Task type -> one of `tiers`, such as code: strong; all others go to the teacher."
    )
    wrapper_for: dict[str, str] = Field(
        default={},
        description="A pattern of a model's name -> the prompt that such models are asked directly with, such as "
        "'*qwen3*': wrapper/qwen3. Ours stand in prompts/wrapper; a team's own is a path. All others: answer/direct.",
    )
    keep_reasoning: bool = Field(default=False, description="Publish the reasoning as reasoning_content.")
    few_shot: int = Field(default=0, ge=0, description="Examples sent before a single question, drawn from the pool.")
    pool: str = Field(
        default="data/few_shot.jsonl", description="The examples: JSONL of language, task_type, prompt, response."
    )
    temperature: float = Field(default=0.7, ge=0, le=2, description="How freely an answer is drawn.")
    max_tokens: int = Field(default=4096, ge=1, description="Longest answer; what is cut there is dropped.")
    reasks: int = Field(default=1, ge=0, description="How often a reply that cannot be read is asked again.")
    small_model: SmallModelAnswers | None = Field(
        default=None,
        description="A model of one's own that learns a task type from the teacher's answers, and answers its rest.",
    )


class Judging(Part):
    """How answers are judged: 0-5 with a reason, and harmless as a veto."""

    reasks: int = Field(default=1, ge=0, description="How often a verdict that cannot be read is asked again.")
    min_score: float = Field(default=4.5, ge=0, le=5, description="Rows below it are dropped (AlpaGasus: 4.5).")
