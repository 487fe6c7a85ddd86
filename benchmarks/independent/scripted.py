"""What the proxy's `scripted` model says; the proxy loads this file, so it imports nothing of ours.

It keeps to the schema that is asked for, and gives every question an answer of its own, in its language.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import litellm

WHOLE = {"verdict": {"reason": "right and to the point", "harmless": True, "score": 4.5}}


class Scripted(litellm.CustomLLM):
    """Hands its words to litellm's own mock, which makes a completion with usage of them."""

    async def acompletion(self, *_: Any, **asked: Any) -> litellm.ModelResponse:
        how = asked["optional_params"].get("response_format") or {}
        said = words(asked["messages"][-1]["content"], how.get("json_schema") or {})
        return litellm.completion(model="gpt-4o-mini", messages=asked["messages"], mock_response=said)


def words(question: str, asked: dict[str, Any]) -> str:
    """The reply to a question, in a schema where one is asked for."""
    if not asked:
        return answer(question)
    fields = asked["schema"]["properties"]
    made = {name: field["enum"][0] for name, field in fields.items() if "enum" in field}
    made |= {name: answer(question) for name in ("reasoning", "answer") if name in fields}
    return json.dumps(made | WHOLE.get(asked["name"], {}), ensure_ascii=False)


def answer(question: str) -> str:
    number = hashlib.sha256(question.encode()).hexdigest()[:12]
    if any("一" <= c <= "鿿" for c in question):
        return f"这个问题的答案记在编号 {number} 之下，说来话长，要点就是这些。"
    return f"What was asked is answered under the number {number}, at some length."


handler = Scripted()
