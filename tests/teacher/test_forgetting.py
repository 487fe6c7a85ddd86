import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from tasks.teacher.batched import HandedIn, Question
from tasks.teacher.calls import figures, latest
from tasks.teacher.forgetting import asked, forget
from tasks.teacher.outcomes import Reply
from tasks.teacher.packing import ENOUGH
from tasks.teacher.store import Attempt, CallStore, Stored, stored

SECRETS = ("面包师傅把祖传的老酵母藏在地窖第三块石板下面", "The old baker keeps his starter under the third flagstone")
PLAIN = ("怎样修一座石桥，", "How is a stone bridge built, ")


def calls(many: int, secret: str) -> list[tuple[str, str]]:
    """Records and what is asked for them: every third one is about the secret, in words that differ."""
    plain = PLAIN[SECRETS.index(secret)]
    return [
        ("p-secret" if i % 3 == 0 else f"p-{i}", f"{secret if i % 3 == 0 else plain}: {i * 7919}") for i in range(many)
    ]


async def remember(path: Path, many: int, secret: str) -> None:
    async with CallStore(path, "00001") as store:
        for i, (record, text) in enumerate(calls(many, secret)):
            at, request = (
                f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}.000+00:00",
                json.dumps({"messages": [text] * 5}, ensure_ascii=False),
            )
            store.put(Stored(f"k{i}", "good", 9, 0.5, at, request, Reply(text * 2, model="m")))
            store.record(Attempt("answer", record, f"k{i}", at, "good", 0.5, 30, 12, 0.25, "m"))
            if i + 1 in (ENOUGH, many):
                await store.flush()


def held(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


@pytest.fixture(params=SECRETS, ids=["zh", "en"])
async def secret(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    await remember(tmp_path / "calls.sqlite", 60, request.param)
    return request.param


async def test_what_is_forgotten_for_a_record_is_gone_from_the_file_and_what_it_cost_is_not(
    secret: str, tmp_path: Path
) -> None:
    path = tmp_path / "calls.sqlite"
    before = figures(path)["stages"]
    assert forget(path, record="p-secret") == 20
    assert latest(path, 99, record="p-secret") == []
    assert figures(path)["stages"] == before
    assert secret.encode() not in held(path)
    assert len(list(stored(path))) == 40
    assert asked(path, "p-secret")
    assert not asked(path, "p-other")


async def test_answers_are_forgotten_by_age(secret: str, tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    (newest,) = latest(path, 1)
    assert forget(path, before=newest["at"]) == 59
    assert latest(path, 9) == [newest]
    assert forget(path, before="9999") == 1
    assert list(stored(path)) == []


@pytest.mark.parametrize("secret", SECRETS, ids=["zh", "en"])
@pytest.mark.parametrize("many", [2 * ENOUGH, ENOUGH + 200], ids=["enough is left", "too few are left"])
async def test_what_is_forgotten_does_not_live_on_in_the_dictionary(secret: str, many: int, tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    await remember(path, many, secret)
    async with CallStore(path) as store:  # a batch under way is packed by it too
        question = Question("q1", "answer", "p-1", 9, json.dumps({"messages": ["bridge"]}))
        store.batches.begin(HandedIn("file-1", 1), "e", "m", [question])
        assert store.packing.trained
        before = {c.key: (c.request, c.reply.text) for c in stored(path)}
    assert secret.encode() in held(path)

    gone = forget(path, record="p-secret")
    assert secret.encode() not in held(path)
    assert gone == len(range(0, many, 3))
    after = {c.key: (c.request, c.reply.text) for c in stored(path)}
    assert after == {key: said for key, said in before.items() if secret not in said[1]}
    async with CallStore(path) as store:
        assert store.batches.left("e", "m")[0].questions == (question,)
        assert store.look_up("k1")
    await remember(path, 5, secret)  # and it can be written to


async def test_a_store_without_calls_needs_no_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    await remember(path, 2 * ENOUGH, SECRETS[0])
    assert forget(path, before="9999") == 2 * ENOUGH
    with contextlib.closing(sqlite3.connect(path)) as link:
        assert link.execute("select count(*) from dictionaries").fetchone() == (0,)
