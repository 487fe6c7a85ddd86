"""Files and batches of an OpenAI-compatible endpoint, on the same small protocol code as its chat.

Each batch has a fate, in the order in which batches are made: how often it is looked at before it ends, how it ends,
and how many of its lines are answered by then. What a line gets is what the chat endpoint would have said.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tasks.teacher.protocol import ChatServer, error
from tests.faults import Body, FaultsServer


@dataclass(frozen=True)
class Fate:
    """`looks` before the end; `answered` lines by then (None: all); `errors` of its validation; `unwritten` lines at
    the end of its files are in neither."""

    status: str = "completed"
    looks: int = 1
    answered: int | None = None
    errors: Sequence[Body] = ()
    unwritten: int = 0


@dataclass
class Made:
    """A batch at the server, as the API shows it, with its fate and the lines of its file."""

    shown: Body
    fate: Fate
    lines: list[Body]
    done: bool = False


@dataclass
class Answers:
    """What an API call gets instead, by its path's last part, the first time, the second, ...; None lets it through.
    `before` happens before the reply is sent, when the work is done."""

    instead: dict[str, list[web.Response | None]] = field(default_factory=dict)
    before: dict[str, Callable[[], object]] = field(default_factory=dict)


class Batches(ChatServer):
    """Knobs: `fates`, `api` (what its calls get), `held` (while it is not set, no batch ends)."""

    def __init__(self, *args: Any, fates: Sequence[Fate] = (), api: Answers | None = None, **known: Any) -> None:
        super().__init__(*args, **known)
        self.fates, self.api = fates, api or Answers()
        self.held = asyncio.Event()
        self.held.set()
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Made] = {}
        self.looks: Counter[str] = Counter()

    def routes(self) -> list[web.RouteDef]:
        ours = [
            web.post("/v1/files", self.called("files", self.upload)),
            web.get("/v1/files/{id}/content", self.called("content", self.content)),
            web.post("/v1/batches", self.called("batches", self.make)),
            web.get("/v1/batches", self.called("list", self.list)),
            web.get("/v1/batches/{id}", self.called("look", self.look)),
        ]
        return [*super().routes(), *ours]

    def called(self, what: str, do: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.StreamResponse:
            if (planned := self.api.instead.get(what)) and (instead := planned.pop(0)):
                return instead
            done = await do(request)
            self.api.before.get(what, int)()
            return done

        return handler

    def keep(self, content: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name

    async def upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        content = form["file"].file.read()  # type: ignore[union-attr]
        name = self.keep(content)
        plain = {"id": name, "object": "file", "bytes": len(content), "created_at": len(self.files)}
        return web.json_response(plain | {"filename": "q.jsonl", "purpose": "batch", "status": "processed"})

    async def content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]], content_type="application/octet-stream")

    async def make(self, request: web.Request) -> web.Response:
        asked, number = await request.json(), len(self.batches)
        if asked["input_file_id"] not in self.files:
            return error(400, "invalid_request_error", "no such file")
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        shown = asked | {"id": f"batch_{number}", "object": "batch", "created_at": len(self.files)}
        shown |= {"status": "validating", "request_counts": {"total": len(lines), "completed": 0, "failed": 0}}
        fate = self.fates[number] if number < len(self.fates) else Fate()
        self.batches[shown["id"]] = Made(shown, fate, lines)
        return web.json_response(shown)

    async def list(self, request: web.Request) -> web.Response:
        newest = [made.shown for made in reversed(self.batches.values())]
        return web.json_response({"object": "list", "data": newest, "has_more": False})

    async def look(self, request: web.Request) -> web.Response:
        if not (made := self.batches.get(request.match_info["id"])):
            return error(404, "", "no such batch")
        self.looks[made.shown["id"]] += 1
        if not made.done:
            made.shown["status"] = "in_progress"
            if self.looks[made.shown["id"]] >= made.fate.looks and self.held.is_set():
                await self.end(request, made)
        return web.json_response(made.shown)

    async def end(self, request: web.Request, made: Made) -> None:
        """Answer the lines, or some of them, and write its files: those that went wrong stand in the error file."""
        made.done, fate = True, made.fate
        made.shown["status"] = fate.status
        if fate.status == "failed":
            made.shown["errors"] = {"object": "list", "data": list(fate.errors)}
            return
        asked = made.lines[: fate.answered]
        good, bad = [], []
        for line in asked[: len(asked) - fate.unwritten]:
            reply = await self.line(request, line["body"])
            said = {"custom_id": line["custom_id"], "error": None, "id": "r"}
            said["response"] = {"status_code": reply.status, "body": json.loads(reply.text or "null")}
            (good if reply.status == 200 else bad).append(said)
        for line in made.lines[len(asked) :]:
            out = {"code": f"batch_{fate.status}", "message": "This request was not run in time."}
            bad.append({"custom_id": line["custom_id"], "response": None, "error": out, "id": "r"})
        for where, lines in (("output_file_id", good), ("error_file_id", bad)):
            text = "".join(json.dumps(x, ensure_ascii=False) + "\n" for x in reversed(lines))  # in no order
            made.shown[where] = self.keep(text.encode()) if lines else None
        made.shown["request_counts"] |= {"completed": len(good), "failed": len(bad)}

    async def line(self, request: web.Request, body: Body) -> web.Response:
        reply = await self.answer(body)
        assert isinstance(reply, web.Response)
        return reply


class BatchFaults(Batches, FaultsServer):
    """The faults server with batches: its script goes by line."""

    async def line(self, request: web.Request, body: Body) -> web.Response:
        reply = await self.replied(request, self.counted(body, request.headers)) or await self.respond(body)
        assert isinstance(reply, web.Response)
        return reply
