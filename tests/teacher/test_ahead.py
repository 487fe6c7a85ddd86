import random
from collections import Counter
from pathlib import Path

import pytest

from tasks.teacher.ahead import BLOCK, ENOUGH, KEPT
from tasks.teacher.outcomes import Reply
from tasks.teacher.packing import Packing
from tasks.teacher.store import CallStore, Stored

MADE = 12 * BLOCK


def call(number: int, text: str = "", outcome: str = "good") -> Stored:
    said = text or f"answer {number}, 第{number}个答案 \ud800 " + 20 * random.Random(number).choice("天地玄黄宇宙洪荒")
    return Stored(f"key {number}", outcome, 10, 0.25, "2026-01-05T00:00:00Z", f"question {number}", Reply(said))


async def filled(path: Path, many: int = MADE) -> None:
    """A store of calls, in the order of their numbers; the first ones are packed without a dictionary."""
    async with CallStore(path) as store:
        for number in range(many):
            store.put(call(number))
            if number % 1000 == 999:
                await store.flush()


def statements(store: CallStore) -> Counter[str]:
    """Counts, from now on, what the store reads by key and by block."""
    seen: Counter[str] = Counter()
    store.reader.set_trace_callback(lambda sql: seen.update(["block" if "rowid >=" in sql else "key"]))
    return seen


def scattered(many: int) -> list[int]:
    """Numbers in about their order, as calls in flight end."""
    chance = random.Random(7)
    return sorted(range(many), key=lambda i: i + chance.uniform(0, 2 * BLOCK))


@pytest.mark.parametrize("order", ["as made", "scattered", "backwards", "any"])
async def test_in_whatever_order_calls_are_looked_up_each_is_found_as_it_is(tmp_path: Path, order: str) -> None:
    await filled(tmp_path / "calls.sqlite")
    numbers = {
        "as made": list(range(MADE)),
        "scattered": scattered(MADE),
        "backwards": list(reversed(range(MADE))),
        "any": random.Random(1).sample(range(MADE), MADE),
    }[order]
    async with CallStore(tmp_path / "calls.sqlite") as store:
        with store.writer:
            store.writer.execute("delete from calls where rowid % 5 = 0")
        gone = {n for n in range(MADE) if (n + 1) % 5 == 0}
        for number in numbers:
            known, made = store.look_up(f"key {number}"), call(number)
            assert (known and (known.key, known.reply.text)) == (
                None if number in gone else (made.key, made.reply.text)
            )
        assert store.look_up("key 3") == store.look_up("key 3")  # again, by itself


@pytest.mark.parametrize("numbers", [list(range(MADE)), scattered(MADE)], ids=["as made", "scattered"])
async def test_what_was_made_together_is_read_together(tmp_path: Path, numbers: list[int]) -> None:
    await filled(tmp_path / "calls.sqlite")
    async with CallStore(tmp_path / "calls.sqlite") as store:
        seen = statements(store)
        for number in numbers:
            store.look_up(f"key {number}")
        assert seen["block"] <= MADE / BLOCK + 1
        assert seen["key"] <= ENOUGH * (MADE / BLOCK + 1)


async def test_look_ups_that_lie_far_from_each_other_read_no_more_than_they_ask(tmp_path: Path) -> None:
    await filled(tmp_path / "calls.sqlite")
    async with CallStore(tmp_path / "calls.sqlite") as store:
        seen = statements(store)
        for number in range(0, MADE, BLOCK):
            for near in range(ENOUGH - 1):
                store.look_up(f"key {number + near}")
        assert seen == {"key": MADE // BLOCK * (ENOUGH - 1)}


async def test_what_is_read_ahead_does_not_grow_with_the_store(tmp_path: Path) -> None:
    await filled(tmp_path / "calls.sqlite", (KEPT + 6) * BLOCK)
    async with CallStore(tmp_path / "calls.sqlite") as store:
        seen = statements(store)
        for number in range(0, (KEPT + 6) * BLOCK, BLOCK // ENOUGH):  # each block is read, and little of it asked for
            store.look_up(f"key {number}")
        assert seen["block"] > KEPT
        assert len(store.ahead.rows) <= KEPT * BLOCK


async def test_an_answer_made_meanwhile_is_found_and_not_the_one_read_ahead(tmp_path: Path) -> None:
    async with CallStore(tmp_path / "calls.sqlite") as store:
        for number in range(BLOCK):
            store.put(call(number, "cut", "truncated"))
    async with CallStore(tmp_path / "calls.sqlite") as store:
        for number in range(ENOUGH + 1):
            store.look_up(f"key {number}")
        assert "key 100" in store.ahead.rows
        store.put(call(100, "whole"))
        assert (known := store.look_up("key 100"))
        assert known.reply.text == "whole"
        await store.flush()
        assert (known := store.look_up("key 100"))
        assert (known.outcome, known.reply.text) == ("good", "whole")


async def test_many_texts_are_unpacked_as_each_alone(tmp_path: Path) -> None:
    await filled(tmp_path / "calls.sqlite", 2500)
    async with CallStore(tmp_path / "calls.sqlite") as store:
        packing = Packing(store.reader)
        blobs = [row[0] for row in store.reader.execute("select reply from calls")] + [
            packing.pack(""),
            packing.pack("一"),
        ]
        assert packing.all_unpacked(blobs) == [packing.unpacked(blob) for blob in blobs]
        assert packing.all_unpacked([]) == []


async def test_a_block_is_unpacked_by_a_dictionary_that_was_made_after_it_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    async with CallStore(path) as early:
        await filled(path, 2500)
        for number in range(2000, 2000 + 2 * ENOUGH):
            assert (known := early.look_up(f"key {number}"))
            assert known.reply.text == call(number).reply.text
