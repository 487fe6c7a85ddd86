"""What a producing technique makes of records, through the one loop, with a scripted teacher at the end of the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tasks.link import Linked, Only
from tasks.loop import Bench, run
from tasks.record import Record, begun
from tasks.schema import records, table
from tasks.shard import write
from tasks.tally import Tally
from tasks.teacher.protocol import ChatServer, asked_schema, completion, texts
from tests.engines import engine_at

Body = dict[str, Any]
Say = Callable[[Body], str | list[dict[str, Any]]]


@dataclass
class Run:
    """A step's output: its tally, what it kept, what it dropped with the reason, and what the teacher was asked."""

    tally: Tally
    out: list[Record]
    gone: list[tuple[str, str]]
    asked: list[Body] = field(default_factory=list)
    dropped_ids: list[str] = field(default_factory=list)

    @property
    def rows(self) -> list[Record]:
        return [record for record in self.out if record.answered]

    @property
    def reasons(self) -> dict[str, int]:
        return self.tally.dropped


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """A tool call as endpoints write it."""
    return {"id": "", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def last(body: Body) -> str:
    return texts(body)[-1]


def passage(text: str, number: int = 0) -> Record:
    language = "zh" if any("一" <= c <= "鿿" for c in text) else "en"
    return begun("documents", (), language, str(number), passage=text, licence="cc0-1.0")


async def made(step: Any, given: Sequence[Record], say: Say, folder: Path, seed: int = 7) -> Run:
    """The step over what is given; the loop checks that its balance holds."""
    asked: list[Body] = []

    async def reply(body: Body) -> web.StreamResponse:
        asked.append(body)
        said = say(body)
        text, calls = (said, []) if isinstance(said, str) else ("", said)
        return web.json_response(completion(text, "m-1", "\n".join(texts(body)), calls=calls))

    async with ChatServer(reply, "m-1") as server, engine_at(server, folder, licence="mit") as engine:
        link = Linked(
            step, type(step).__module__.rpartition(".")[2], "produce", Only(getattr(step, "takes", "prompts"))
        )
        bench = Bench(folder / "work", seed, engines={"teacher": engine})
        tally = await run(link, [write(table(given), folder / "given.parquet")], bench)
    out = [record for shard in tally.shards for record in records(shard.table())]
    dropped = [row for shard in tally.dropped_in for row in shard.table().to_pylist()]
    gone = [(row["reason"], row["detail"]) for row in dropped]
    return Run(tally, out, gone, asked, [row["roots"][0] for row in dropped])


__all__ = ["Run", "asked_schema", "call", "last", "made", "passage"]
