"""What a row check sees, and what it says: a sentence about what is wrong, or nothing where the row holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tasks.record import ToolCall, message, spoken


@dataclass(frozen=True, slots=True)
class Row:
    """`ask` are all turns before the answer, `last` the last of the user; `response` is the answer with its calls;
    `constraints` are JSON, as a record keeps them."""

    ask: str
    last: str
    response: str
    language: str
    task_type: str
    judge: float
    calls: tuple[ToolCall, ...] = ()
    tools: str = ""
    constraints: tuple[str, ...] = ()


Check = Callable[[Row], str]


def row_of(row: dict[str, Any]) -> Row:
    *ask, response = row["messages"]
    said = message(response)
    return Row(
        ask="\n".join(m["content"] for m in ask),
        last=next((m["content"] for m in reversed(ask) if m["role"] == "user"), ""),
        response=spoken(said),
        language=row["language"],
        task_type=row["task_type"],
        judge=next((s["value"] for s in row["scores"] if s["name"] == "judge"), 0.0),
        calls=said.tool_calls,
        tools=row["tools"],
        constraints=tuple(row["constraints"]),
    )
