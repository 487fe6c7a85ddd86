"""`dataset_info.json`: the version as LLaMA-Factory finds it, with the version's folder as `dataset_dir`.

Each file by name, as a folder would train on test rows too; test rows are not in it at all. ShareGPT rather than
`formatting: openai`, which writes a system turn of its own into every row and quotes the arguments of a tool call
twice (LLaMA-Factory 0.9.5, data/converter.py). Train with `mask_history: true`.
"""

from __future__ import annotations

from typing import Any

TAGS = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}
SHAREGPT = {"formatting": "sharegpt", "columns": {"messages": "conversations", "tools": "tools"}, "tags": TAGS}
ALPACA = {
    "formatting": "alpaca",
    "columns": {
        "prompt": "instruction",
        "query": "input",
        "response": "output",
        "system": "system",
        "history": "history",
    },
}
RANKED = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "tools": "tools"}
PREFERENCE = {"formatting": "sharegpt", "ranking": True, "columns": RANKED, "tags": TAGS}
FORMATTING = {"sharegpt": ("", SHAREGPT), "alpaca": ("_alpaca", ALPACA), "preference": ("_preference", PREFERENCE)}


def dataset_info(name: str, exports: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Entries by name: `name` and `name_validation` for ShareGPT, `name_alpaca` and so on for Alpaca,
    `name_preference` for pairs (`stage: dpo` and the like)."""
    entries = {}
    for shape, (suffix, how) in FORMATTING.items():
        for file in exports.get(shape, {}).get("files", ()):
            if file["split"] != "test":
                side = "" if file["split"] == "train" else f"_{file['split']}"
                entries[f"{name}{suffix}{side}"] = {"file_name": file["path"]} | how
    return entries
