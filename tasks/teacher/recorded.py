"""The recorded teacher: an OpenAI-compatible server that replays answers written for the samples.

It finds the record by the text it is asked about, and the kind of ask by the schema that is requested,
so that a reworded prompt file breaks nothing. What it does not hold it refuses, and the run counts
`not_recorded`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from tasks.teacher.endpoints import RECORDED
from tasks.teacher.protocol import ChatServer, asked_schema, completion, error, texts
from tasks.text import key


@dataclass(frozen=True, slots=True)
class Recording:
    """What was written for one prompt: the user's turns that name it, a reply for each kind of ask, and the tool
    calls of the free answer, as on the wire."""

    turns: tuple[str, ...]
    replies: dict[str, str]
    calls: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        label, verdict = plain["label"], plain["verdict"]
        reasoned = {"reasoning": plain["reasoning"], "answer": plain["answer"]}
        replies = {
            "": plain["answer"],
            "labelled": json.dumps(label, ensure_ascii=False),
            "reasoned": json.dumps(reasoned, ensure_ascii=False) if plain["reasoning"] else "",
            "verdict": json.dumps(verdict, ensure_ascii=False),
        }
        calls = ({"id": c["id"], "type": "function", "function": named(c)} for c in plain.get("tool_calls", ()))
        return cls(tuple(key(t) for t in plain["turns"]), replies, tuple(calls))


def named(call: dict[str, Any]) -> dict[str, str]:
    return {"name": call["name"], "arguments": call["arguments"]}


def read(path: Path) -> list[Recording]:
    """Recordings from JSONL: `turns`, `label`, `reasoning`, `answer`, `verdict`, and `tool_calls` where there are any.

    The turns are the user's, or the result of a tool where one is answered.
    """
    return [Recording.of(json.loads(line)) for line in path.read_text().splitlines()]


def find(asked: Sequence[str], recordings: Sequence[Recording]) -> Recording | None:
    """The recording that a request is about: its last turn stands in the last message, its others anywhere.

    Where several fit, the one with the most text wins: a longer conversation contains its beginnings.
    """
    last, everything = key(asked[-1]), "\n".join(map(key, asked))
    fitting = [r for r in recordings if r.turns[-1] in last and all(t in everything for t in r.turns[:-1])]
    return max(fitting, key=lambda r: sum(map(len, r.turns)), default=None)


def recorded_teacher(path: Path) -> ChatServer:
    """The server, ready to be entered."""
    recordings = read(path)

    async def answer(body: dict[str, Any]) -> web.StreamResponse:
        asked, schema = texts(body), asked_schema(body)
        found = find(asked, recordings)
        calls = found.calls if found and not schema else ()
        if found is None or not (found.replies.get(schema) or calls):
            return error(404, "not_recorded", f"nothing is recorded for this {schema or 'answer'}")
        return web.json_response(completion(found.replies[schema], RECORDED, "\n".join(asked), calls=calls))

    return ChatServer(answer, RECORDED)
