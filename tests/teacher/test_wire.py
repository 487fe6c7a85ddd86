import contextlib
import sqlite3
from pathlib import Path

import pytest
from aiohttp import web

from tasks.teacher.endings import NoAnswer
from tests import faults
from tests.engines import ask, engine_at
from tests.faults import Body, Fault, FaultsServer, always, in_order, without_end


@pytest.mark.parametrize("text", ["How long does bread keep?", "面包能放多久？"])
@pytest.mark.parametrize("fault", [faults.reworded(str), faults.compressed], ids=["plain", "compressed"])
async def test_an_answer_is_read_whether_it_is_compressed_or_not(fault: Fault, text: str, tmp_path: Path) -> None:
    async with FaultsServer(lambda _: text * 1000, always(fault)) as server, engine_at(server, tmp_path) as engine:
        assert (await ask(engine, text)).text == text * 1000


async def test_a_refusal_in_another_charset_can_be_read(tmp_path: Path) -> None:
    async with FaultsServer() as server, engine_at(server, tmp_path) as engine:
        await ask(engine, "taken")
        server.script = always(faults.refused_in_gbk)
        with pytest.raises(NoAnswer) as refused:
            await ask(engine, "not taken")
    assert "内容不合规" in refused.value.detail


@pytest.mark.parametrize(
    "fault", [without_end(), without_end(503), without_end(encoding="gzip")], ids=["", "503", "gzip"]
)
async def test_a_reply_without_an_end_is_cut_off_before_it_fills_the_memory(fault: Fault, tmp_path: Path) -> None:
    async with FaultsServer(script=in_order(fault)) as server, engine_at(server, tmp_path, timeout=60) as engine:
        assert await ask(engine, "bread") == await ask(engine, "bread")
        assert engine.purse.asked["", "m-1"].spent.calls == 2
    with contextlib.closing(sqlite3.connect(tmp_path / "calls.sqlite")) as link:
        assert link.execute("select outcome from attempts").fetchall() == [("disconnected",), ("good",)]


@pytest.mark.parametrize("charset", ["klingon", ""])
async def test_a_refusal_in_a_charset_that_nobody_knows_is_a_refusal(charset: str, tmp_path: Path) -> None:
    async def refuse(request: web.Request, plain: Body) -> web.StreamResponse:
        told = {"Content-Type": f"application/json; charset={charset}"}
        return web.Response(status=400, body=b'{"error": {"message": "too long"}}', headers=told)

    async with FaultsServer() as server, engine_at(server, tmp_path) as engine:
        await ask(engine, "taken")
        server.script = always(Fault(refuse))
        with pytest.raises(NoAnswer, match="refused_by_endpoint") as refused:
            await ask(engine, "not taken")
    assert "too long" in refused.value.detail
