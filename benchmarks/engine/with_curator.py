"""bespokelabs-curator as documented: an LLM over a list of questions, its own cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import litellm
from bespokelabs import curator
from measured import KEY, MAX_TOKENS, MODEL, RETRIES, TIMEOUT, Given, measured

# It counts tokens with a table that is downloaded at run time; litellm, which it brings along, holds the same table.
TABLES = Path(litellm.__file__ or "").parent / "litellm_core_utils" / "tokenizers"
PER_MINUTE = 10**9  # its own pace is not what is measured


class Asked(curator.LLM):
    def prompt(self, row: dict[str, Any]) -> str:
        return row["question"]

    def parse(self, row: dict[str, Any], response: str) -> dict[str, Any]:
        return row | {"answer": response}


def answers(given: Given) -> list[str | None]:
    params = {
        "base_url": given.url,
        "api_key": KEY,
        "max_concurrent_requests": given.in_flight,
        "max_requests_per_minute": PER_MINUTE,
        "max_tokens_per_minute": PER_MINUTE,
        "max_retries": RETRIES,
        "request_timeout": TIMEOUT,
        "require_all_responses": False,
    }
    asked = Asked(
        model_name=MODEL, backend="openai", backend_params=params, generation_params={"max_tokens": MAX_TOKENS}
    )
    rows = [{"number": n, "question": q} for n, q in enumerate(given.questions)]
    made = asked(rows, working_dir=str(given.cache))
    said = {row["number"]: row["answer"] for row in getattr(made, "dataset", made)}
    return [said.get(n) for n in range(given.calls)]


os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(TABLES))
measured(answers)
