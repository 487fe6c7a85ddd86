"""The one loop, with toy steps of each shape; and the cache key of a step."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from tasks.loop import RECEIPT, Bench, cache_key, inputs, key, passing, place, reusable, run, source
from tasks.mine.worth import chosen
from tasks.prompt import PromptError
from tasks.recipe import Endpoint, Mine, RecipeError
from tasks.record import Record
from tasks.schema import DROPPED, SCHEMA, records
from tasks.shard import Shard, write_records
from tasks.step import MERGED, Drop, Folded, Outcome, Sieved
from tasks.tally import Tally, Unbalanced, total
from tasks.teacher.ask import Teacher
from tasks.teacher.budget import BudgetReached, Purse
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer, TeacherUnusable, Unanswered
from tasks.teacher.engine import Engine
from tasks.teacher.store import CallStore
from tests.rows import HOSTILE, ask

ASKS = [ask(text, i) for i, text in enumerate(("keep 一", "drop 二", "twin 三", "keep 四", "keep five"))]


@dataclass(frozen=True)
class Sorted:
    """Each: does what the first word of the ask says."""

    detail: str = "why"
    shape: ClassVar = "each"

    async def __call__(self, record: Record, teacher: None, dice: Random) -> Outcome:
        match record.instruction.split()[0]:
            case "drop":
                return Outcome().dropping("unwanted", self.detail)
            case "twin":
                twin = replace(record, input="twin")
                return Outcome.keeping(record).making(twin).eliminating(replace(record, input="third"), "copied")
            case "lost":
                return Outcome()
            case "mute":
                raise NoAnswer("filtered", "said no")
            case "poor":
                raise BudgetReached("budget.calls of 3 is reached (3 spent)")
            case "dead":
                raise TeacherUnusable("bad key")
            case "late":
                raise Unanswered("http_503")
            case "odd":
                raise PromptError("a fault of ours")
        return Outcome.keeping(replace(record, tags=(f"{dice.random():.9f}",)))


@dataclass(frozen=True)
class Short:
    """Table: drops what is shorter than `least` letters, and gives `spare` rows too few."""

    least: int = 7
    spare: int = 0
    shape: ClassVar = "table"

    def __call__(self, table: pa.Table) -> Sieved:
        sizes = [len(m[-1]["content"]) for m in table.column("messages").to_pylist()]
        reason = pa.array([None if s >= self.least else "too_short" for s in sizes], pa.string())
        return Sieved(table.slice(self.spare), reason.slice(self.spare))


@dataclass(frozen=True)
class Grown:
    """Grow: makes one more of the last of the pool until the target; `fault` ends it early."""

    target: int = 3
    most: int = 99
    fault: Exception | None = None
    shape: ClassVar = "grow"

    async def __call__(self, pool: list[Record], teacher: None, dice: Random) -> AsyncIterator[Outcome]:
        for number in range(self.most):
            last = pool[-1]
            child = replace(last, input=f"{last.input}+{dice.randrange(10**9)}")
            yield Outcome().making(child) if number % 2 else Outcome().making(child).eliminating(last, "copied")
        if self.fault:
            raise self.fault


@dataclass(frozen=True)
class First:
    """Fold: keeps the first row and merges the others into it; forgets `lost` of them."""

    lost: int = 0
    shape: ClassVar = "fold"

    def __call__(self, table: pa.Table) -> Folded:
        others = range(1, table.num_rows - self.lost)
        into = table.column("row_id")[0].as_py() if table.num_rows else ""
        return Folded(table.slice(0, 1), [(i, Drop(MERGED, "same", into=into)) for i in others])


@dataclass(frozen=True)
class Asking(Sorted):
    """A step that is asked of an engine, with prompts."""

    role: ClassVar = "teacher"
    prompts: ClassVar = ("judge/verdict",)


@dataclass(frozen=True)
class AskingElse(Sorted):
    role: ClassVar = "teacher"
    prompts: ClassVar = ("label/task_type",)


class Ended:
    """A task run's state that holds a fault, as Prefect gives it."""

    def __init__(self, fault: BaseException) -> None:
        self.fault = fault

    async def aresult(self, raise_on_failure: bool) -> BaseException:
        assert not raise_on_failure
        return self.fault


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "work", seed=7)


def given(folder: Path, *made: Record, name: str = "in") -> list[Shard]:
    return [write_records(made, folder / f"{name}.parquet")]


def said(*texts: str) -> list[Record]:
    return [ask(text, i) for i, text in enumerate(texts)]


def out(tally: Tally) -> list[Record]:
    return [r for s in tally.shards for r in s.records()]


def dropped(tally: Tally) -> list[tuple[str, str, str]]:
    rows = pa.concat_tables([s.table() for s in tally.dropped_in]).to_pylist()
    return [(r["messages"][-1]["content"], r["reason"], r["detail"]) for r in rows]


async def test_each_record_ends_once_and_what_was_made_is_counted(tmp_path: Path, bench: Bench) -> None:
    tally = await run(Sorted(), given(tmp_path, *ASKS), bench)
    assert (tally.seen, tally.made, tally.out, tally.pending) == (5, 2, 5, 0)
    assert tally.dropped == {"copied": 1, "unwanted": 1}
    assert [r.instruction for r in out(tally)] == ["keep 一", "twin 三", "twin 三", "keep 四", "keep five"]
    assert dropped(tally) == [("drop 二", "unwanted", "why"), ("twin 三", "copied", "")]
    assert tally.stage == "test_loop"


async def test_who_watches_sees_the_records_that_are_done_and_a_second_try_counts_anew(
    tmp_path: Path, bench: Bench
) -> None:
    shards = given(tmp_path, *said("keep 一", "drop 二", "late 三"))
    for _ in range(2):
        await run(Sorted(), shards, bench)
        assert bench.through == {shards[0].path: 3}


async def test_a_record_that_a_step_loses_stops_the_run_and_leaves_nothing_to_reuse(
    tmp_path: Path, bench: Bench
) -> None:
    shards = given(tmp_path, *said("keep 一", "lost 二"))
    with pytest.raises(Unbalanced, match=f"test_loop lost track of {ask('lost 二').prompt_id}"):
        await run(Sorted(), shards, bench)
    assert not reusable(Sorted(), [{"shards": [s.plain() for s in shards]}], None, bench)


@pytest.mark.parametrize("step", [Short(spare=1), First(lost=1)], ids=["table", "fold"])
async def test_a_row_that_a_table_or_a_fold_loses_stops_the_run(tmp_path: Path, bench: Bench, step: Any) -> None:
    shards = given(tmp_path, *ASKS)
    with pytest.raises(Unbalanced, match="test_loop"):
        await run(step, shards, bench)
    assert not (place(step, shards, bench) / RECEIPT).exists()


async def test_a_question_without_an_answer_is_dropped_under_its_reason(tmp_path: Path, bench: Bench) -> None:
    tally = await run(Sorted(), given(tmp_path, *said("mute 一", "keep 二")), bench)
    assert (tally.dropped, dropped(tally)) == ({"filtered": 1}, [("mute 一", "filtered", "said no")])
    assert tally.stopped == {}


async def test_what_a_budget_or_an_outage_stops_waits_as_it_came(tmp_path: Path, bench: Bench) -> None:
    made = said("keep 一", "poor 二", "late three", "dead 四")
    tally = await run(Sorted(), given(tmp_path, *made), bench)
    assert (tally.out, tally.pending, tally.dropped) == (1, 3, {})
    assert [r for s in tally.pending_in for r in s.records()] == made[1:]
    expected = {"budget": "budget.calls of 3 is reached (3 spent)", "outage": "http_503", "teacher": "bad key"}
    assert tally.stopped == expected


async def test_a_fault_of_ours_is_neither_a_drop_nor_pending(tmp_path: Path, bench: Bench) -> None:
    with pytest.raises(PromptError):
        await run(Sorted(), given(tmp_path, *said("odd 一")), bench)


async def test_chance_is_the_same_in_another_shard_and_another_run(tmp_path: Path) -> None:
    async def tags(work: str, rows: int, *shards: Shard, seed: int = 7) -> list[tuple[str, ...]]:
        tally = [await run(Sorted(), [s], Bench(tmp_path / work, seed, rows)) for s in shards]
        return [r.tags for t in tally for r in out(t)]

    made = said("keep 一", "keep 二", "keep 3")
    whole = await tags("a", 1000, *given(tmp_path, *made))
    split = await tags("b", 1, *[given(tmp_path, r, name=f"{i}")[0] for i, r in enumerate(made)])
    assert whole == split
    assert len(set(whole)) == 3
    assert await tags("c", 1000, *given(tmp_path, *made), seed=8) != whole


async def test_a_table_step_drops_by_its_mask(tmp_path: Path, bench: Bench) -> None:
    tally = await run(Short(), given(tmp_path, *ASKS), bench)
    assert (tally.seen, tally.made, tally.out, tally.dropped) == (5, 0, 1, {"too_short": 4})
    assert [r.instruction for r in out(tally)] == ["keep five"]


async def test_a_fold_tells_what_was_merged_into_what(tmp_path: Path, bench: Bench) -> None:
    tally = await run(First(), given(tmp_path, *ASKS), bench)
    assert (tally.out, tally.merged, tally.dropped) == (1, 4, {})
    assert set(tally.dropped_in[0].table().column("into").to_pylist()) == {ASKS[0].row_id}


async def test_growing_ends_at_its_target_and_keeps_the_seeds(tmp_path: Path, bench: Bench) -> None:
    tally = await run(Grown(target=3), given(tmp_path, *ASKS[:2]), bench)
    assert (tally.seen, tally.made, tally.out, tally.dropped, tally.stopped) == (2, 5, 5, {"copied": 2}, {})
    grown = out(tally)
    assert grown[:2] == ASKS[:2]
    assert bench.through.total() == 3  # for who watches
    assert [r.input.count("+") for r in grown] == [0, 0, 1, 2, 3], "each was made from the one accepted before it"


async def test_growing_that_gives_up_says_how_far_it_came(tmp_path: Path, bench: Bench) -> None:
    tally = await run(Grown(target=3, most=1), given(tmp_path, ASKS[0]), bench)
    assert (tally.out, tally.stopped) == (2, {"short": "1 of 3 grown before the step gave up"})


async def test_growing_that_a_budget_stops_keeps_what_was_grown(tmp_path: Path, bench: Bench) -> None:
    step = Grown(target=9, most=2, fault=BudgetReached("enough"))
    tally = await run(step, given(tmp_path, ASKS[0]), bench)
    assert (tally.out, tally.stopped) == (3, {"budget": "enough"})


async def test_growing_keeps_what_was_grown_when_a_question_gets_no_answer(tmp_path: Path, bench: Bench) -> None:
    tally = await run(Grown(target=9, most=2, fault=NoAnswer("truncated")), given(tmp_path, ASKS[0]), bench)
    assert (tally.out, list(tally.stopped)) == (3, ["short"])
    assert "2 of 9" in tally.stopped["short"]
    assert "truncated" in tally.stopped["short"]


@dataclass(frozen=True)
class Nameless:
    """Grow: drops something without saying what."""

    target: int = 1
    shape: ClassVar = "grow"

    async def __call__(self, pool: list[Record], teacher: None, dice: Random) -> AsyncIterator[Outcome]:
        yield Outcome().dropping("copied")


async def test_a_growing_step_must_name_what_it_drops(tmp_path: Path, bench: Bench) -> None:
    with pytest.raises(Unbalanced, match="copied"):
        await run(Nameless(), given(tmp_path, ASKS[0]), bench)


@pytest.mark.parametrize("step", [Sorted(), Short(), First()], ids=["each", "table", "fold"])
@pytest.mark.parametrize("shards", [0, 1])
async def test_nothing_in_gives_nothing_out_in_files_of_the_schema(
    tmp_path: Path, bench: Bench, step: Any, shards: int
) -> None:
    tally = await run(step, given(tmp_path)[:shards], bench)
    assert (tally.seen, tally.out, len(tally.shards)) == (0, 0, 1)
    assert tally.shards[0].table().schema == SCHEMA
    assert tally.dropped_in[0].table().schema == DROPPED


async def test_the_output_is_cut_into_shards_of_the_asked_size(tmp_path: Path) -> None:
    tally = await run(Sorted(), given(tmp_path, *ASKS), Bench(tmp_path / "work", 7, shard_rows=2))
    assert [s.rows for s in tally.shards] == [2, 2, 1]


async def test_hostile_text_goes_through_a_step_as_it_is(tmp_path: Path, bench: Bench) -> None:
    made = said(*(f"keep {text}" for text in (*HOSTILE, "\x00")))
    tally = await run(Sorted(), given(tmp_path, *made), bench)
    assert [r.instruction for r in out(tally)] == [r.instruction for r in made]


async def test_a_rerun_gives_the_same_files_and_the_tally_comes_back_from_json(tmp_path: Path, bench: Bench) -> None:
    first = await run(Sorted(), given(tmp_path, *ASKS), bench)
    assert await run(Sorted(), given(tmp_path, *ASKS), bench) == first
    assert Tally.of(json.loads(json.dumps(first.plain()))) == first
    assert json.loads((Path(first.shards[0].path).parent / RECEIPT).read_text()) == json.loads(
        json.dumps(first.plain())
    )


async def test_an_output_is_reused_only_while_it_is_whole(tmp_path: Path, bench: Bench) -> None:
    plain = [{"shards": [s.plain() for s in given(tmp_path, *ASKS)]}]
    assert not reusable(Sorted(), plain, 0, bench)
    tally = await run(Sorted(), inputs(plain, 0), bench)
    assert reusable(Sorted(), plain, 0, bench)
    assert not reusable(Sorted("other"), plain, 0, bench)
    Path(tally.dropped_in[0].path).write_bytes(b"half")
    assert not reusable(Sorted(), plain, 0, bench)
    await run(Sorted(), inputs(plain, 0), bench)
    Path(tally.shards[0].path).unlink()
    assert not reusable(Sorted(), plain, 0, bench)


async def test_an_output_with_rows_that_wait_is_never_reused(tmp_path: Path, bench: Bench) -> None:
    plain = [{"shards": [s.plain() for s in given(tmp_path, *said("late 一"))]}]
    await run(Sorted(), inputs(plain, 0), bench)
    assert not reusable(Sorted(), plain, 0, bench)


def test_a_task_works_on_one_shard_or_on_all(tmp_path: Path) -> None:
    a, b, c = (given(tmp_path, r, name=r.roots[0])[0] for r in ASKS[:3])
    plain = [{"shards": [a.plain(), b.plain()]}, {"shards": []}, {"shards": [c.plain()]}]
    assert inputs(plain, None) == (a, b, c)
    assert [inputs(plain, i) for i in range(3)] == [(a,), (b,), (c,)]


@pytest.mark.parametrize(
    ("fault", "again"),
    [
        (OSError("disk"), True),
        (Unanswered(), True),
        (BudgetReached(), False),
        (TeacherUnusable("bad key"), False),
        (Unbalanced(), False),
        (RecipeError("no pool"), False),
    ],
)
async def test_only_what_may_pass_is_tried_again(fault: Exception, again: bool) -> None:
    assert await passing(None, None, Ended(fault)) is again


def engine(folder: Path, identity: str = "where", **endpoint: Any) -> Engine:
    """An engine that is never asked."""
    known = Endpoint(**{"model": "m-1", **endpoint})
    return Engine(known, CallStore(folder / "calls.sqlite"), Purse(), "http://127.0.0.1:9", identity, "")


def test_the_key_changes_with_settings_seed_input_and_whom_it_asks(tmp_path: Path) -> None:
    def keyed(step: Any = None, rows: list[Record] = ASKS, seed: int = 7, size: int = 9, **asked: Any) -> str:
        bench = Bench(tmp_path / "work", seed, size, {"teacher": engine(tmp_path, **asked)})
        return key(step or Asking(), given(tmp_path, *rows, name="same"), bench)

    keys = [
        keyed(),
        keyed(Asking("other")),
        keyed(AskingElse()),
        keyed(Sorted()),
        keyed(rows=ASKS[:4]),
        keyed(rows=ASKS[::-1]),
        keyed(seed=8),
        keyed(size=8),
        keyed(model="m-2"),
        keyed(identity="elsewhere"),
        keyed(structured="text"),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0].startswith("test_loop-")


def test_prompts_alone_change_the_key(tmp_path: Path, bench: Bench) -> None:
    """Two steps that differ in nothing but the prompts that they name."""

    def step(*names: str) -> Any:
        return type("Same", (Sorted,), {"prompts": names, "__module__": __name__})()

    shards = given(tmp_path, *ASKS)
    keys = {key(step(*names), shards, bench) for names in ((), ("judge/verdict",), ("judge/verdict", "reask"))}
    assert len(keys) == 3
    assert key(step("reask"), shards, bench) == key(step("reask"), shards, bench)


def test_the_key_stays_whatever_has_no_say_in_the_output(tmp_path: Path) -> None:
    one = Bench(tmp_path / "a", 7, engines={"teacher": engine(tmp_path)})
    two = Bench(tmp_path / "b", 7, engines={"teacher": engine(tmp_path, max_in_flight=1, rpm=3, timeout=9, senders=2)})
    here, there = given(tmp_path, *ASKS), given(tmp_path / "elsewhere", *ASKS, name="other")
    assert key(Asking(), here, one) == key(Asking(), there, two)


def test_prefect_keys_a_task_as_the_loop_does_and_each_lake_for_itself(tmp_path: Path, bench: Bench) -> None:
    """A tally names files: that of another lake would point there."""
    one, two = given(tmp_path, *ASKS), given(tmp_path, ASKS[0], name="other")

    def keyed(bench: Bench, shards: list[Shard] = one, step: Any = None) -> str:
        plain = [{"shards": [s.plain() for s in shards]}]
        return cache_key(None, {"step": step or Sorted(), "given": plain, "part": 0, "bench": bench})

    elsewhere = Bench(tmp_path / "elsewhere", bench.seed)
    assert keyed(bench) == keyed(Bench(bench.work, bench.seed))
    assert keyed(bench).startswith(key(Sorted(), one, bench))
    assert len({keyed(bench), keyed(elsewhere), keyed(bench, two), keyed(bench, step=Sorted("other"))}) == 4
    assert place(Sorted(), one, bench).name == key(Sorted(), one, bench) == place(Sorted(), one, elsewhere).name


STEP = """
from dataclasses import dataclass
from typing import ClassVar
from toys.words import WORD
from toys import deep
@dataclass(frozen=True)
class Toy:
    reads: ClassVar = ({data!r},)
    shape: ClassVar = "each"
"""


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A step in a package of its own, whose files a test may edit."""
    folder = tmp_path / "toys"
    folder.mkdir()
    (tmp_path / "list.yaml").write_text("[你好]")
    (folder / "__init__.py").write_text("")
    (folder / "words.py").write_text("WORD = '词'\n")
    (folder / "far.py").write_text("FAR = 1\n")
    (folder / "deep.py").write_text("def late():\n    import toys.far\n    return toys.far.FAR\n")
    (folder / "apart.py").write_text("APART = 1\n")
    (folder / "toy.py").write_text(STEP.format(data=str(tmp_path / "list.yaml")))
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("toy", "far", "apart"):
        importlib.import_module(f"toys.{name}")
    source.cache_clear()
    yield folder
    for name in [m for m in sys.modules if m.split(".")[0] == "toys"]:
        del sys.modules[name]
    source.cache_clear()


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("toys/toy.py", True),
        ("toys/words.py", True),
        ("toys/deep.py", True),
        ("toys/far.py", True),
        ("list.yaml", True),
        ("toys/apart.py", False),
    ],
)
def test_the_key_changes_with_the_source_and_the_data_that_a_step_stands_on(
    tmp_path: Path, bench: Bench, toys: Path, file: str, changes: bool
) -> None:
    step, shards = sys.modules["toys.toy"].Toy(), given(tmp_path, *ASKS)
    before = key(step, shards, bench)
    assert key(step, shards, bench) == before
    with (tmp_path / file).open("a") as opened:
        opened.write("\n# edited\n")
    source.cache_clear()
    assert (key(step, shards, bench) != before) is changes


def test_the_rules_of_mining_are_keyed_with_the_list_that_they_read() -> None:
    assert chosen(Mine()).reads == ("data/greetings.yaml",)
    assert chosen(Mine(rules=["length"])).reads == ()


def test_a_tally_that_does_not_close_says_what_is_missing(tmp_path: Path) -> None:
    shard = given(tmp_path, *ASKS)[0]
    Tally("s", seen=6, out=5, dropped={"x": 1}, shards=(shard,), dropped_in=(replace(shard, rows=1),)).balanced()
    with pytest.raises(Unbalanced, match="s: 6 in \\+ 0 made is not 5 out \\+ 0 dropped"):
        Tally("s", seen=6, out=5, shards=(shard,)).balanced()
    with pytest.raises(Unbalanced, match="s: 4 out, but 5 rows in the files"):
        Tally("s", seen=4, out=4, shards=(shard,)).balanced()
    with pytest.raises(Unbalanced, match="1 pending, but 0 rows"):
        Tally("s", seen=6, out=5, pending=1, shards=(shard,)).balanced()


async def test_tallies_add_up(tmp_path: Path, bench: Bench) -> None:
    one = await run(Sorted(), given(tmp_path, *ASKS), bench)
    two = await run(Sorted(), given(tmp_path, *said("drop 一", "mute 二", "poor 三")), bench)
    three = await run(First(), given(tmp_path, *ASKS), bench)
    assert total("merged", [three, three]).merged == 8
    both = total("sorted", [replace(one, spent=Count(1, 2, 3, 4, 0.5)), replace(two, spent=Count(1, 0, 1, 1, 0.25))])
    assert (both.seen, both.made, both.out, both.pending) == (8, 2, 5, 1)
    assert both.dropped == {"copied": 1, "filtered": 1, "unwanted": 2}
    assert both.spent == Count(2, 2, 4, 5, 0.75)
    assert both.balanced().shards == one.shards + two.shards
    assert total("none", []) == Tally("none")


def test_records_of_dropped_rows_can_be_read_back() -> None:
    rows = pa.Table.from_pylist([ASKS[0].row() | {"reason": "r", "detail": "", "into": ""}], schema=DROPPED)
    assert records(rows) == ASKS[:1]


async def test_no_more_records_are_under_way_than_keep_the_endpoint_busy(tmp_path: Path) -> None:
    async with CallStore(tmp_path / "calls.sqlite") as store:
        endpoint = Endpoint(model="m", max_in_flight=2)
        engines = {"teacher": Engine(endpoint, store, Purse(), "http://127.0.0.1:9/v1", "here", "")}
        bench = Bench(tmp_path, 7, engines=engines)
        busy = Busy()
        shards = [write_records([ask(f"{n} 问 {i}", i) for i in range(9)], tmp_path / f"{n}.parquet") for n in (1, 2)]
        tallies = await asyncio.gather(*(run(busy, [shard], bench) for shard in shards))
    assert [t.out for t in tallies] == [9, 9]
    assert busy.most == bench.at_once == 4


class Busy:
    """Each: keeps every record for a moment, and knows how many it had at once."""

    shape: ClassVar = "each"
    role: ClassVar = "teacher"
    here = most = 0

    def __repr__(self) -> str:
        return "Busy()"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        self.here += 1
        self.most = max(self.most, self.here)
        for _ in range(10):  # as many turns of the loop as others take to begin
            await asyncio.sleep(0)
        self.here -= 1
        return Outcome.keeping(record)


@dataclass(frozen=True)
class Eaten:
    """Grow: makes one of each record given; the ones that say so end with it."""

    target: ClassVar = None
    shape: ClassVar = "grow"

    async def __call__(self, pool: list[Record], teacher: None, dice: Random) -> AsyncIterator[Outcome]:
        for record in list(pool):
            made = record.derived("eaten", record.asking(record.instruction[::-1]))
            if record.instruction.startswith("drop"):
                yield Outcome().ending(record).eliminating(made, "unwanted")
            else:
                yield (
                    Outcome().ending(record, "used_up", "why").making(made) if "一" in record.instruction else Outcome()
                )


async def test_a_growing_step_ends_records_of_its_pool_and_the_others_go_on(tmp_path: Path, bench: Bench) -> None:
    tally = await run(Eaten(), given(tmp_path, *ASKS), bench)
    assert (tally.seen, tally.made, tally.out) == (5, 2, 4)
    assert tally.dropped == {"unwanted": 1, "used": 1, "used_up": 1}
    assert [r.instruction for r in out(tally)] == ["twin 三", "keep 四", "keep five", "一 peek"]
    assert tally.stopped == {}
