"""Passages to produce from, and one pass of a technique through the loop, where every record must be accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from tasks.loop import Bench, run
from tasks.record import Record, begun
from tasks.schema import records as records_of
from tasks.shard import write_records
from tasks.tally import Tally
from tasks.teacher.ask import Teacher
from tests.rows import spoken

EN = """# Harbour pool

Ticket prices from 1 May 2025: adults 7.50 euros, children under 14 pay 3 euros.
The pool opens at 6:30 and closes at 21:00. On Mondays lanes 1 to 4 belong to the club.
Whoever loses a locker key pays a deposit of 20 euros to Marta Kowal at the desk."""
ZH = """# 海港游泳馆

自2025年5月1日起，成人票每张四十五元，十四岁以下儿童票每张二十元。每天6:30开馆，21:00闭馆。
周一1至4号泳道留给俱乐部使用。柜子钥匙丢失的，到前台向王经理交押金150元，手续依照《泳客须知》办理。"""


def passage(text: str, place: str = "a.md") -> Record:
    return begun("documents", (), spoken(text), place, passage=text, licence="cc-by-4.0")


async def through(
    step: object, records: Sequence[Record], teacher: Teacher | None, folder: Path, **others: Teacher
) -> tuple[Tally, list[Record], list[dict]]:
    """The step over the records: the tally, what came out, and what was dropped as rows."""
    engines = {name: one.engine for name, one in {"teacher": teacher, "judge": teacher, **others}.items() if one}
    shards = [write_records(records, folder / "given.parquet")]
    tally = await run(step, shards, Bench(folder / "work", 7, engines=engines))  # pyright: ignore[reportArgumentType]
    gone = pa.concat_tables([s.table() for s in tally.dropped_in]).to_pylist()
    return tally, [r for s in tally.shards for r in records_of(s.table())], gone


def reasons(gone: list[dict]) -> dict[str, list[str]]:
    """What was asked in each dropped row, by reason; a passage by its beginning."""
    found: dict[str, list[str]] = {}
    for row in gone:
        asked = [m["content"] for m in row["messages"] if m["role"] == "user"]
        found.setdefault(row["reason"], []).append(asked[0] if asked else row["passage"][:12])
    return found
