"""What a prompt that nobody labelled is likely to be, for a plan: what a small model says that learnt the seeds.

Few seeds make a poor judge of one prompt, right about every other time, but its mistakes even out: a log has about as
many tasks of a type as it says, and it is shares that a plan stands on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache

from tasks.label.small_model import CHARACTERS, Guess, Known, taught_by
from tasks.recipe import located
from tasks.text import key

SEEDS = ("data/seeds/en.jsonl", "data/seeds/zh.jsonl")


def likely(text: str) -> str:
    """A task type as `type/subtype`."""
    return model()([key(text)[:CHARACTERS]])[0].kind


@cache
def model() -> Callable[[Sequence[str]], list[Guess]]:
    lines = [line for file in SEEDS for line in located(file).read_text("utf-8").splitlines()]
    rows = [json.loads(line) for line in lines if line.strip()]
    return taught_by([Known(text_of(row), f"{row['task_type']}/{row['subtype']}", "general") for row in rows])


def text_of(seed: dict[str, str]) -> str:
    return key(f"{seed['prompt']}\n{seed['input']}")[:CHARACTERS]
