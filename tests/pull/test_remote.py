"""Files behind URLs: the same rows as from files here; a storage that fails is no broken file."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiohttp import web

from flows.embedded import free_port
from tasks.pull.source import Pulled, Window, pull
from tasks.recipe import RecipeError, Source, Unreachable

SECRET = "planted:Pa55/word"


def lines(*texts: str) -> bytes:
    return "".join(json.dumps({"id": t, "messages": t}, ensure_ascii=False) + "\n" for t in texts).encode()


def parquet(*texts: str, **how: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{"id": t, "messages": t} for t in texts]), out, **how)
    return out.getvalue()


def pulled(folder: Path, uri: str, **more: Any) -> Pulled:
    return pull(Source(uri=uri, **more), Window(), (), folder / "out", 1000)


def asked(result: Pulled) -> list[str]:
    return [r.instruction for s in result.shards for r in s.records()]


@pytest.fixture
def memory() -> Iterator[Callable[[str, bytes], None]]:
    """A storage in memory, filled by path."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield lambda path, raw: system.pipe(path, raw)
    system.store.clear()


@contextmanager
def served(answer: Callable[[web.Request], Any]) -> Iterator[str]:
    """An HTTP server on loopback; gives its address."""
    port, ready, loop = free_port(), threading.Event(), asyncio.new_event_loop()

    async def handler(request: web.Request) -> web.StreamResponse:
        given = answer(request)
        return await given if asyncio.iscoroutine(given) else given

    async def serve() -> None:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        ready.set()
        await asyncio.Event().wait()

    def run() -> None:
        task = loop.create_task(serve())
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(lambda: [t.cancel() for t in asyncio.all_tasks(loop)])
        thread.join(30)


def files_of(folder: Path) -> Callable[[web.Request], web.StreamResponse]:
    """Files as a plain server gives them, ranges and all."""

    def answer(request: web.Request) -> web.StreamResponse:
        path = folder / request.path.lstrip("/")
        if path.is_dir():
            links = "".join(f'<a href="{p.name}">{p.name}</a>\n' for p in sorted(path.iterdir()))
            return web.Response(text=links, content_type="text/html")
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)

    return answer


def test_a_file_a_folder_and_a_glob_of_a_storage_are_read_in_the_order_of_their_names(
    tmp_path: Path, memory: Callable[[str, bytes], None]
) -> None:
    memory("/logs/b.jsonl.gz", gzip.compress(lines("二")))
    memory("/logs/a.parquet", parquet("one"))
    memory("/logs/c.csv", "id,messages\n3,three\n".encode("utf-16"))
    memory("/logs/deep/d.jsonl", lines("four"))
    for name in (".hidden.jsonl", "x.jsonl.tmp", "notes.txt"):
        memory(f"/logs/{name}", b"not a log")
    assert asked(pulled(tmp_path, "memory://logs")) == ["one", "二", "three"]
    assert asked(pulled(tmp_path, "memory://logs/*.jsonl*")) == ["二"]
    assert asked(pulled(tmp_path, "memory://logs/**/*.jsonl*")) == ["二", "four"]
    assert asked(pulled(tmp_path, "memory://logs/a.parquet")) == ["one"]


def test_a_storage_with_nothing_to_read_is_a_sentence(tmp_path: Path, memory: Callable[[str, bytes], None]) -> None:
    memory("/logs/notes.txt", b"")
    for uri in ("memory://logs", "memory://logs/*.csv", "memory://none/a.jsonl"):
        with pytest.raises(RecipeError, match=f"no logs at {uri}".replace("*", r"\*")):
            pulled(tmp_path, uri)


def test_what_is_new_in_a_storage_is_found_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with served(files_of(tmp_path / "logs")) as url:
        for n in (1, 2, 3):
            (tmp_path / "logs" / f"{n}.jsonl").write_bytes(lines(f"question {n}"))
            assert len(asked(pulled(tmp_path, f"{url}/"))) == n


def test_files_in_an_archive_are_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        archive.writestr("a.jsonl", lines("one"))
        archive.writestr("b.jsonl", lines("二"))
    assert asked(pulled(tmp_path, f"zip://*.jsonl::file://{tmp_path}/logs.zip")) == ["one", "二"]
    assert asked(pulled(tmp_path, f"zip://b.jsonl::file://{tmp_path}/logs.zip")) == ["二"]


def test_files_of_a_web_server_are_streamed_and_parquet_by_ranges(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(*(f"question {n}" for n in range(2000))))
    (tmp_path / "b.parquet").write_bytes(parquet("one", "二"))
    ranges: list[str] = []

    def answer(request: web.Request) -> web.StreamResponse:
        ranges.append(request.headers.get("Range", ""))
        return files_of(tmp_path)(request)

    with served(answer) as url:
        assert len(asked(pulled(tmp_path, f"{url}/a.jsonl?version=2"))) == 2000
        assert asked(pulled(tmp_path, f"{url}/b.parquet", storage={"block_size": 1024})) == ["one", "二"]
    assert any(r.startswith("bytes=") for r in ranges)


def test_an_options_table_reaches_the_storage(tmp_path: Path) -> None:
    def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=lines("one")) if request.headers.get("X-Team") == "logs" else web.Response(status=403)

    with served(answer) as url:
        assert asked(pulled(tmp_path, f"{url}/a.jsonl", storage={"headers": {"X-Team": "logs"}})) == ["one"]
        with pytest.raises(RecipeError, match="403"):
            pulled(tmp_path, f"{url}/a.jsonl")


@pytest.mark.parametrize(("status", "again"), [(401, False), (403, False), (429, True), (500, True), (503, True)])
def test_a_status_is_said_and_one_that_passes_is_worth_another_try(tmp_path: Path, status: int, again: bool) -> None:
    with served(lambda _: web.Response(status=status)) as url, pytest.raises(RecipeError, match=str(status)) as fault:
        pulled(tmp_path, f"{url}/a.jsonl")
    assert isinstance(fault.value, Unreachable) == again


def test_a_file_that_is_not_there_and_a_server_that_is_not_there_are_told_apart(tmp_path: Path) -> None:
    with served(files_of(tmp_path)) as url, pytest.raises(RecipeError, match="no logs at") as absent:
        pulled(tmp_path, f"{url}/none.jsonl")
    assert not isinstance(absent.value, Unreachable)
    with pytest.raises(Unreachable, match=r"Cannot connect|Connect"):
        pulled(tmp_path, f"http://127.0.0.1:{free_port()}/a.jsonl")


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet", "a.json"])
def test_a_body_that_is_cut_is_no_short_file(tmp_path: Path, name: str) -> None:
    raw = parquet(*map(str, range(500))) if name == "a.parquet" else lines(*(f"question {n}" for n in range(500)))
    raw = gzip.compress(raw, 0) if name.endswith(".gz") else raw

    async def cut(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": str(len(raw))})
        await answer.prepare(request)
        if request.method != "HEAD":
            await answer.write(raw[: len(raw) // 2])
            assert request.transport is not None
            request.transport.close()
        return answer

    with served(cut) as url, pytest.raises(Unreachable, match=name):
        pulled(tmp_path, f"{url}/{name}")
    assert not list((tmp_path / "out").glob("*.parquet"))


def test_a_server_that_gives_no_ranges_serves_all_but_parquet_which_says_so(tmp_path: Path) -> None:
    texts = [f"question {n} " + "long " * 2000 for n in range(1000)]
    bodies = {"/a.jsonl": lines(*texts), "/a.parquet": parquet(*texts, compression="none", use_dictionary=False)}
    with served(lambda request: web.Response(body=bodies[request.path])) as url:
        assert len(asked(pulled(tmp_path, f"{url}/a.jsonl"))) == 1000
        with pytest.raises(RecipeError, match="range requests") as fault:
            pulled(tmp_path, f"{url}/a.parquet")
    assert not isinstance(fault.value, Unreachable)


def test_the_password_of_a_url_comes_from_the_environment_and_is_never_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import base64

    right = "Basic " + base64.b64encode(f"u:{SECRET}".encode()).decode()

    def answer(request: web.Request) -> web.StreamResponse:
        allowed = request.headers.get("Authorization") == right
        return web.Response(body=lines("one")) if allowed else web.Response(status=401, reason="no")

    with served(answer) as url:
        uri = f"{url.replace('http://', 'http://u@')}/a.jsonl"
        monkeypatch.setenv("LOGS_PASSWORD", SECRET)
        result = pulled(tmp_path, uri, password_env="LOGS_PASSWORD")
        assert asked(result) == ["one"]
        assert SECRET not in str(result.plain())
        monkeypatch.setenv("LOGS_PASSWORD", "planted-wrong")
        with pytest.raises(RecipeError, match="401") as fault:
            pulled(tmp_path, uri, password_env="LOGS_PASSWORD")
        assert "planted" not in f"{fault.value.what} {fault.value.hint}"


@pytest.mark.parametrize(
    ("uri", "what", "hint"),
    [
        ("s3://bucket/logs/*.jsonl", "s3fs", "s3fs"),
        ("gs://bucket/logs/", "gcsfs", "gcsfs"),
        ("sftp://host/logs", "paramiko", "paramiko"),
        ("nosuch://host/logs", "nosuch", "beginning"),
    ],
)
def test_a_storage_whose_package_is_missing_names_it(tmp_path: Path, uri: str, what: str, hint: str) -> None:
    with pytest.raises(RecipeError) as fault:
        pulled(tmp_path, uri)
    assert what in fault.value.what
    assert hint in fault.value.hint
