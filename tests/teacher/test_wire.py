from pathlib import Path

import pytest

from tasks.teacher.endings import NoAnswer
from tests import faults
from tests.engines import ask, engine_at
from tests.faults import Fault, FaultsServer, always


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
