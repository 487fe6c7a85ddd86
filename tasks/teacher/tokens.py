"""About how many tokens a text is, where nobody counted them: by script, as the tokenizers of today's models cut it."""

from __future__ import annotations

import json
from typing import Any

from tasks.text import CJK, KANA

CJK_TOKENS = 0.7  # a character: most common words of two characters are one token
TOKEN_BYTES = 4  # of any other text
FRAME = 4  # tokens around each message: its role, and where it begins and ends


def tokens(text: str) -> int:
    """An estimate; 0 for no text alone."""
    rest, han = CJK.subn("", text)
    rest, kana = KANA.subn("", rest)
    count = CJK_TOKENS * (han + kana) + len(rest.encode("utf-8", "replace")) / TOKEN_BYTES
    return max(round(count), int(bool(text)))


def prompt_tokens(body: dict[str, Any]) -> int:
    """An estimate for a request: its messages, their calls of tools and the tools that it declares."""
    sent = sum(FRAME + tokens(str(m.get("content") or "")) for m in body["messages"])
    more = [*(m["tool_calls"] for m in body["messages"] if m.get("tool_calls")), *(body.get("tools") or ())]
    return sent + sum(tokens(json.dumps(part, ensure_ascii=False)) for part in more)
