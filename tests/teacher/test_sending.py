"""Sender processes: real ones, at a server that misbehaves, killed when it hurts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tasks.recipe import PROJECT, Endpoint
from tasks.teacher.calls import figures
from tasks.teacher.embed import EmbeddingEngine
from tasks.teacher.endings import NoAnswer, TeacherUnusable
from tasks.teacher.engine import Engine
from tasks.teacher.outcomes import Verdict
from tasks.teacher.sending import FULL, Senders, cores, senders
from tasks.teacher.wire import Wire, spelt
from tests import faults
from tests.engines import IDENTITY, KEY, ask, engine_at
from tests.faults import FaultsServer, always, asked, refused

ALL = {
    "taken": None,
    "500": refused(500, "", "no 面包 today", {"Retry-After": "7"}),
    "rate limited": faults.rate_limited(ms=250),
    "limited until a date": faults.rate_limited(date_in=30),
    "quota": faults.insufficient_quota,
    "key refused": refused(401, "invalid_api_key", f"this was wrong: {KEY}"),
    "refused": refused(400, "bad", "内容不合规"),
    "refused in another charset": faults.refused_in_gbk,
    "redirect": faults.redirect,
    "an HTML 502": faults.bad_gateway,
    "HTML that says it is fine": faults.html,
    "compressed": faults.compressed,
    "reset": faults.reset,
    "cut": faults.cut_body,
    "broken JSON": faults.broken_json,
    "no choices": faults.no_choices,
    "filtered": faults.content_filter,
    "cut at the limit": faults.cut_at_limit,
}


def child(engine: Engine) -> int:
    """The one sender process of an engine."""
    assert isinstance(engine.wire, Senders)
    (only,) = engine.wire.children
    return only.process.pid


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return b") Z" not in Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return False


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


def body(text: str) -> dict[str, Any]:
    return {"model": "m-1", "messages": [{"role": "user", "content": text}], "max_tokens": 100}


async def test_a_call_ends_in_the_same_class_and_words_whoever_sends_it(tmp_path: Path) -> None:
    script = asked({name: [fault] * 2 for name, fault in ALL.items()})
    async with (
        FaultsServer(script=script) as server,
        engine_at(server, tmp_path / "one", senders=0) as itself,
        engine_at(server, tmp_path / "two", senders=1) as apart,
    ):
        await apart.wire.ready()
        for name in ALL:
            assert await attempted(itself, name) == await attempted(apart, name), name
    assert isinstance(itself.wire, Wire)
    assert isinstance(apart.wire, Senders)
    assert {call.headers["Authorization"] for call in server.calls} == {f"Bearer {KEY}"}


async def attempted(engine: Engine, text: str) -> tuple[Verdict, Any]:
    """How one attempt ended; the engine looks at nothing but the request."""
    return await engine.attempt(body(text), None)  # type: ignore[arg-type]


async def test_where_nobody_listens_and_whom_nobody_vouches_for_is_told_in_the_same_words(tmp_path: Path) -> None:
    tls = faults.self_signed(tmp_path)
    async with FaultsServer(tls=tls) as server, FaultsServer() as gone:
        nobody = gone.url
    said = {}
    async with FaultsServer(tls=tls) as server:
        for senders_ in (0, 1):
            for url in (nobody, server.url):
                async with engine_at(url, tmp_path / f"{senders_}", senders=senders_) as engine:
                    await engine.wire.ready()
                    said.setdefault(url, []).append(await attempted(engine, "bread"))
    (refusal, same), (certificate, too) = said.values()
    assert refusal == same
    assert refusal[0].name == "disconnected"
    assert certificate == too
    assert certificate[0] == Verdict("stop", "bad_certificate", "self-signed certificate")


class Raw(FaultsServer):
    """Keeps the bytes of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes: list[bytes] = []

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.bytes.append(await request.read())
        return await super().chat(request)


@pytest.mark.parametrize("text", ["How long does bread keep? 🍞", "面包能放多久？“三天”——\u2028 𠮷野家 \x00"])
async def test_the_bytes_of_a_request_and_of_its_answer_are_the_same_whoever_sends_it(
    text: str, tmp_path: Path
) -> None:
    sent = spelt(body(text * 20_000))
    async with (
        Raw() as server,
        engine_at(server, tmp_path / "one", senders=0) as itself,
        engine_at(server, tmp_path / "two", senders=1) as apart,
    ):
        await apart.wire.ready()
        one, two = await itself.wire.post(sent), await apart.wire.post(sent)
    assert server.bytes == [sent, sent]
    assert one.body == two.body
    assert json.loads(two.body)["choices"][0]["message"]["content"] == f"an answer to: {text * 20_000}"
    assert one.headers["content-length"] == two.headers["content-length"]


async def test_each_of_several_senders_gets_its_share(tmp_path: Path) -> None:
    held = asyncio.Event()

    async def hold(request: web.Request, plain: faults.Body) -> web.StreamResponse:
        await held.wait()
        return web.json_response(plain)

    script = always(faults.Fault(hold))
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, senders=2, timeout=60) as engine:
        asking = asyncio.gather(*(ask(engine, f"问题 {i}") for i in range(40)))
        await until(lambda: server.in_flight == 40)
        assert isinstance(engine.wire, Senders)
        assert [len(c.waiting) for c in engine.wire.children] == [20, 20]
        held.set()
        assert [r.text for r in await asking] == [f"an answer to: 问题 {i}" for i in range(40)]


# What ends.


@pytest.mark.parametrize("many", [0, 1])
async def test_who_leaves_takes_the_connection_along(many: int, tmp_path: Path) -> None:
    async with FaultsServer(script=always(faults.hang)) as server, engine_at(server, tmp_path, senders=many) as engine:
        task = asyncio.create_task(ask(engine, "面包"))
        await until(lambda: server.in_flight == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.in_flight == 0)


@pytest.mark.parametrize("fault", [faults.hang, faults.trickle])
async def test_an_answer_that_does_not_come_in_time_is_asked_for_again(fault: faults.Fault, tmp_path: Path) -> None:
    script = asked({"面包": [fault]})
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, senders=1, timeout=0.3) as engine:
        assert (await ask(engine, "面包")).text == "an answer to: 面包"
        await until(lambda: server.in_flight == 0)
    assert figures(tmp_path / "calls.sqlite")["stages"][""]["attempts"] == {"good": 1, "timed_out": 1}


async def test_a_sender_that_is_killed_loses_no_call_and_each_is_on_the_books(tmp_path: Path) -> None:
    def first(call: faults.Call) -> faults.Fault | None:
        return faults.hang if call.nth == 0 else None

    said: list[str] = []
    async with (
        FaultsServer(script=first) as server,
        engine_at(server, tmp_path, senders=1, notice=said.append, timeout=60) as engine,
    ):
        asking = asyncio.gather(*(ask(engine, f"问题 {i}") for i in range(10)))
        await until(lambda: server.in_flight == 10)
        killed = child(engine)
        os.kill(killed, signal.SIGKILL)
        assert [r.text for r in await asking] == [f"an answer to: 问题 {i}" for i in range(10)]
        assert child(engine) != killed
    assert figures(tmp_path / "calls.sqlite")["stages"][""]["attempts"] == {"disconnected": 10, "good": 10}
    assert len(server.calls) == 20
    (once,) = said
    assert "a sender process ended (Killed): starting another one" in once


async def test_senders_that_never_come_up_stop_the_run_and_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", str(tmp_path / "nowhere"))
    async with FaultsServer() as server, engine_at(server, tmp_path, senders=1, attempts=9) as engine:
        with pytest.raises(TeacherUnusable, match=r"no_sender: a sender process ended .* in a row") as fault:
            await ask(engine, "bread")
    assert "set senders of the endpoint to 0" in fault.value.hint
    assert server.calls == []


async def test_what_no_endpoint_is_to_blame_for_is_raised_where_it_was_asked(tmp_path: Path) -> None:
    async with FaultsServer() as server, engine_at(server, tmp_path, senders=1, key="a key\nof two lines") as engine:
        with pytest.raises(RuntimeError, match="in a sender process: ValueError") as fault:
            await ask(engine, "bread")
        assert "a key" not in str(fault.value)
        assert runs(child(engine))
    assert server.calls == []


async def test_a_sender_ends_with_its_engine_and_does_not_heed_ctrl_c(tmp_path: Path) -> None:
    async with FaultsServer() as server, engine_at(server, tmp_path, senders=1) as engine:
        await engine.wire.ready()
        os.kill(child(engine), signal.SIGINT)
        assert (await ask(engine, "bread")).text
        pid = child(engine)
        assert runs(pid)
    assert not runs(pid)


RUN = """
import asyncio, pathlib, sys
from tests.engines import ask, engine_at

async def run(url, folder):
    async with engine_at(url, pathlib.Path(folder), senders=1, timeout=60) as engine:
        await engine.wire.ready()
        print(engine.wire.children[0].process.pid, flush=True)
        await asyncio.gather(*(ask(engine, f"question {i}") for i in range(5)))

asyncio.run(run(*sys.argv[1:]))
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
async def test_no_sender_outlives_its_run(end: signal.Signals, tmp_path: Path) -> None:
    async with FaultsServer(script=always(faults.hang)) as server:
        run = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN, server.url, str(tmp_path), cwd=PROJECT, stdout=PIPE, stderr=PIPE
        )
        assert run.stdout
        pid = int(await run.stdout.readline())
        await until(lambda: server.in_flight == 5)
        assert runs(pid)
        run.send_signal(end)
        await run.wait()
        await until(lambda: not runs(pid))
        await until(lambda: server.in_flight == 0)


async def test_the_key_is_in_no_command_line_and_no_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    monkeypatch.setenv("AS_A_HEADER", f"Authorization: Bearer {KEY}")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    async with FaultsServer() as server, engine_at(server, tmp_path, senders=1) as engine:
        assert (await ask(engine, "bread")).text
        held = {name: Path(f"/proc/{child(engine)}/{name}").read_bytes() for name in ("cmdline", "environ")}
    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"
    assert b"tasks.teacher.sender" in held["cmdline"]
    assert b"SSL_CERT_DIR" in held["environ"]
    assert KEY.encode() not in held["cmdline"] + held["environ"]


async def test_a_sender_carries_none_of_what_a_run_stands_on() -> None:
    look = "import sys, tasks.teacher.sender as s; s.Wire('http://a/v1', 'x', 'key', 1, True); print(*sys.modules)"
    run = await asyncio.create_subprocess_exec(sys.executable, "-c", look, cwd=PROJECT, stdout=PIPE)
    loaded = {name.partition(".")[0] for name in (await run.communicate())[0].decode().split()}
    assert "openai" in loaded
    assert not loaded & {"pandas", "pyarrow", "prefect", "numpy", "sqlite3"}


# Who sends.


async def test_senders_start_with_the_run_and_end_with_it_also_where_the_store_knows_every_answer(
    tmp_path: Path,
) -> None:
    async with FaultsServer() as server:
        for sent in (1, 0):
            async with engine_at(server, tmp_path, senders=1) as engine:
                assert isinstance(engine.wire, Senders)
                (child,) = engine.wire.children
                await asyncio.wait_for(child.ready.wait(), 60)
                assert (await ask(engine, "面包")).text
                assert child.answered == bool(sent)
            assert child.process.poll() is not None


def test_a_core_is_given_to_sending_where_very_many_calls_are_under_way() -> None:
    assert senders(Endpoint(max_in_flight=FULL)) == (cores() > 1)
    assert senders(Endpoint(max_in_flight=FULL - 1)) == 0
    assert senders(Endpoint(max_in_flight=FULL, senders=0)) == 0
    assert senders(Endpoint(max_in_flight=1, senders=3)) == 3
    assert senders(Endpoint(recorded="some.jsonl", max_in_flight=FULL, senders=3)) == 0


async def test_batches_and_vectors_go_out_from_the_run_itself(tmp_path: Path) -> None:
    known = Endpoint(model="m-1", senders=1)
    async with FaultsServer() as server, engine_at(server, tmp_path, senders=1, batch=True) as batch:
        assert isinstance(batch.wire, Wire)
        vectors = EmbeddingEngine(known, batch.store, batch.purse, server.url, IDENTITY, KEY)
        async with vectors:
            assert isinstance(vectors.wire, Wire)
            assert len(await vectors.embed(["bread", "面包"])) == 2


async def test_a_refusal_that_teaches_another_dialect_is_learnt_through_a_sender(tmp_path: Path) -> None:
    def reasoning(call: faults.Call) -> faults.Fault | None:
        said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return refused(400, "unsupported_parameter", said) if "max_tokens" in call.body else None

    async with FaultsServer(script=reasoning) as server, engine_at(server, tmp_path, senders=1) as engine:
        assert (await ask(engine, "bread")).text
        server.script = always(refused(400, "bad", "not this"))
        with pytest.raises(NoAnswer, match="refused_by_endpoint"):
            await ask(engine, "rice")
