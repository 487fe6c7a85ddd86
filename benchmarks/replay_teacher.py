"""A teacher for eight weeks of real logs: recorded answers of real models where the prompt matches, canned text else.

Run it by itself (`python -m benchmarks.replay_teacher ANSWERS.jsonl.gz`); it prints its address. Labels and
scores are drawn from the text's hash, so that every run over the same logs gets the same replies.
`--babble` answers everything with prose, whatever is asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

from aiohttp import web

from tasks.teacher.protocol import ChatServer, asked_schema, completion, forever, texts
from tasks.text import key

MODEL = "replay"
SCORES = (5.0, 4.5, 4.5, 4.5, 4.0, 4.0, 3.5, 3.0)


def answers(path: Path) -> dict[str, str]:
    """sha256 of the folded prompt -> answer."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        return {row["prompt_hash"]: row["answer"] for row in rows}


def replay_teacher(path: Path, babble: bool = False) -> ChatServer:
    """The server, ready to be entered."""
    known = answers(path)

    async def answer(body: dict[str, Any]) -> web.StreamResponse:
        asked = texts(body)
        text = "I do not know." if babble else reply(asked[-1], asked_schema(body), body, known)
        return web.json_response(completion(text, MODEL, "\n".join(asked)))

    return ChatServer(answer, MODEL)


def reply(last: str, schema: str, body: dict[str, Any], known: dict[str, str]) -> str:
    drawn = int(hashlib.sha256(last.encode("utf-8", "replace")).hexdigest(), 16)
    if schema == "labelled":
        fields = body["response_format"]["json_schema"]["schema"]["properties"]
        types, domains = fields["task_type"]["enum"], fields["domain"]["enum"]
        return json.dumps({"task_type": types[drawn % len(types)], "domain": domains[drawn % len(domains)]})
    if schema == "verdict":
        return json.dumps({"reason": "drawn", "harmless": drawn % 97 != 0, "score": SCORES[drawn % len(SCORES)]})
    text = known.get(hashlib.sha256(key(last).encode()).hexdigest()) or canned(last, drawn)
    return json.dumps({"reasoning": "step by step", "answer": text}, ensure_ascii=False) if schema else text


def canned(last: str, drawn: int) -> str:
    """An answer of its own for every question."""
    return f"{drawn % 10**12:012d} is the number under which this was answered: {' '.join(last.split())[:200]}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("answers", type=Path)
    parser.add_argument("--babble", action="store_true")
    given = parser.parse_args()
    asyncio.run(forever(replay_teacher(given.answers, given.babble)))
