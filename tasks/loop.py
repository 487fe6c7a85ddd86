"""The one loop: a step, a shard, and what came of it, on disk and in numbers.

Every stage hands its shards to `run`. The output of a shard stands in a folder named by its cache key
(`key`): the step's own source and settings, its prompts, who is asked, the seed, and the sha256 of the
rows that go in. Prefect caches the tally under the same key; a hit counts only while the files are
there, whole (`reusable`).
"""

from __future__ import annotations

import ast
import asyncio
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from tasks.chosen import Chosen, Rows, parts
from tasks.crew import Seats, through
from tasks.link import TOLD, AnyStep, Linked, inner
from tasks.mapped import spooled
from tasks.prompt import fingerprint
from tasks.recipe import RecipeError, Unreachable, located
from tasks.record import Record, identity
from tasks.schema import DROPPED, SCHEMA, table
from tasks.schema import records as records_of
from tasks.shard import Shard, sha256, write, write_all, write_json
from tasks.step import MERGED, Drop, Each, Fold, Grow, Outcome, TableStep, dice, name
from tasks.tally import Tally, Unbalanced
from tasks.teacher.ask import Answerer, Teacher
from tasks.teacher.budget import BudgetReached
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer, TeacherUnusable, Unanswered
from tasks.teacher.tiers import Tiers, identities, tiers
from tasks.unchanged import rewritten

RECEIPT = "tally.json"
STOPS = {BudgetReached: "budget", TeacherUnusable: "teacher", Unanswered: "outage"}
STOPS_OF = frozenset(STOPS.values())


@dataclass(frozen=True)
class Bench:
    """What all shards of one run share. Tasks get it as it is; it is never written down."""

    work: Path
    seed: int
    shard_rows: int = 1000
    engines: dict[str, Answerer] = field(default_factory=dict)
    through: Counter[str] = field(default_factory=Counter)  # records done by shard, for whoever watches

    @property
    def at_once(self) -> int:
        """How many records keep the busiest endpoint busy, with as many again that are ready to follow."""
        return 2 * max((e.endpoint.at_once for e in self.engines.values()), default=1)

    @cached_property
    def room(self) -> Seats:
        """For the records of all shards that ask at once: what one is about to send takes more memory than itself."""
        return Seats(self.at_once)


def key(step: AnyStep, shards: Sequence[Shard], bench: Bench) -> str:
    """The cache key of a step on its input. A step names the data files that it reads in `reads`, and in `modules`
    the plug-ins that it was given."""
    prompts = fingerprint(getattr(step, "prompts", ()))
    data = {file: sha256(located(file)) for file in getattr(step, "reads", ())}
    rows = [s.sha256 for s in shards]
    sources = [source(m) for m in (type(inner(step)).__module__, *getattr(step, "modules", ()))]
    how = [repr(step), *sources, prompts, data, identities(step, bench.engines)]
    return identity(name(step), *how, bench.seed, bench.shard_rows, rows)


def place(step: AnyStep, shards: Sequence[Shard], bench: Bench) -> Path:
    """The folder of a step's output."""
    return bench.work / name(step) / key(step, shards, bench)


def reusable(step: AnyStep, given: Sequence[dict[str, Any]], part: int | None, bench: Bench) -> bool:
    """Whether an output stands that is whole, byte for byte, and left nothing to do."""
    receipt = place(step, inputs(given, part), bench) / RECEIPT
    if not receipt.is_file():
        return False
    tally = Tally.of(json.loads(receipt.read_text()))
    if tally.pending or tally.stopped.keys() & STOPS_OF:
        return False
    return all(s.whole for s in (*tally.shards, *tally.dropped_in, *tally.pending_in))


def inputs(given: Sequence[dict[str, Any]], part: int | None) -> tuple[Shard, ...]:
    """The shards that a task works on: all that the tallies name, or one of them."""
    shards = tuple(Shard.of(s) for plain in given for s in plain["shards"])
    return shards if part is None else shards[part : part + 1]


def cache_key(_: object, parameters: dict[str, Any]) -> str:
    """Prefect's cache key for a stage's task: that of its step on its input, in this lake.

    Another lake may hold the same rows, but a tally names files, and those are its own.
    """
    bench = parameters["bench"]
    made = key(parameters["step"], inputs(parameters["given"], parameters.get("part")), bench)
    return f"{made}-{identity('w', str(bench.work.absolute()))}"


async def passing(_: object, __: object, state: Any) -> bool:
    """Whether a shard that failed is worth another try: not with a bad key, a spent quota, a ledger that does not
    balance or a wrong recipe, unless all that is wrong is that a source cannot be reached."""
    fault = await state.aresult(raise_on_failure=False)
    if isinstance(fault, Unreachable):
        return True
    return not isinstance(fault, (BudgetReached, TeacherUnusable, Unbalanced, RecipeError))


@cache
def source(module: str) -> str:
    """The sha256 of a module's source and of all modules of ours that it stands on."""
    texts: dict[str, str] = {}
    todo = [module]
    while todo:
        one = todo.pop()
        file = getattr(sys.modules.get(one), "__file__", None)
        if file and one not in texts:
            texts[one] = Path(file).read_text()
            todo += [m for m in imported(texts[one]) if m.split(".")[0] == module.split(".")[0]]
    return hashlib.sha256("\0".join(texts[m] for m in sorted(texts)).encode()).hexdigest()


@cache
def imported(text: str) -> frozenset[str]:
    """Every name that a source imports, also within a function, and also where it takes no more than a constant."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
    return frozenset(found)


async def run(step: AnyStep, shards: Sequence[Shard], bench: Bench) -> Tally:
    """Run a step over its input; the tally names the files that it wrote. Raises Unbalanced."""
    asked = tiers(step, bench.engines)
    on_disk = bench.work if step.shape == "fold" else None  # it takes all rows of the run at once
    rows, others = await asyncio.to_thread(given, step, shards, on_disk)  # beside the loop, which asks for other shards
    match step.shape:
        case "each":
            done = await each(cast(Each, step), rows, asked, bench, counting(bench, shards))
        case "table":
            done = sieve(cast(TableStep, step), rows)
        case "grow":
            done = await grow(cast(Grow, step), rows, cast(Teacher, asked and asked.first), bench, shards)
        case "fold":
            done = fold(cast(Fold, step), rows)
        case other:
            raise TypeError(f"{name(step)} has the shape {other}; a step is each, table, grow or fold")
    if asked:
        await asked.first.engine.flush()  # a shard's output never stands without the answers that it is made of
    if isinstance(step, Linked):
        done.passed = others.num_rows
    if others.num_rows:
        done.seen, done.out = done.seen + others.num_rows, pa.concat_tables([others, done.out.slice()])
    spent = asked.count if asked else Count()
    return await asyncio.to_thread(done.kept, name(step), place(step, shards, bench), bench.shard_rows, spent)


def given(step: AnyStep, shards: Sequence[Shard], on_disk: Path | None) -> tuple[pa.Table, pa.Table]:
    """The rows of some shards that a step takes, and those that pass it by."""
    return parted(step, spooled((s.table() for s in shards), SCHEMA, on_disk))


def parted(step: AnyStep, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows that a step takes, and those that pass it by."""
    if not isinstance(step, Linked):
        return rows, SCHEMA.empty_table()
    taken = step.only.mask(rows)
    return rows.filter(pa.array(taken)), rows.filter(pa.array(~taken))


def rows_taken(step: AnyStep, shard: Shard) -> int:
    """How many of a shard's rows a step takes. Of the file only the columns are read that say so."""
    return int(step.only.mask(shard.leaves(TOLD)).sum()) if isinstance(step, Linked) else shard.rows


@dataclass(slots=True)
class Done:
    """What a step left of a shard, before it is written."""

    seen: int
    out: Rows
    dropped: list[dict[str, Any]] = field(default_factory=list)
    fallen: Fallen | None = None  # what a fold dropped, in the place of `dropped`
    pending: pa.Table = field(default_factory=SCHEMA.empty_table)
    made: int = 0
    stopped: dict[str, str] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)
    passed: int | None = None

    def note(self, outcome: Outcome) -> None:
        for what in outcome.noted:
            self.noted[what] = self.noted.get(what, 0) + 1

    def kept(self, stage: str, folder: Path, shard_rows: int, spent: Count) -> Tally:
        """Write it to its place and count it."""
        reasons = Counter(self.fallen.reasons if self.fallen else (d["reason"] for d in self.dropped))
        merged = reasons.pop(MERGED, 0)
        out = tuple(write(some, folder / f"part-{i:05d}.parquet") for i, some in enumerate(parts(self.out, shard_rows)))
        fallen = parts(self.fallen or pa.Table.from_pylist(self.dropped, schema=DROPPED), shard_rows)
        gone = write_all(fallen, DROPPED, folder / "dropped.parquet")
        waits = write(self.pending, folder / "pending.parquet")
        tally = Tally(
            stage=stage,
            seen=self.seen,
            made=self.made,
            out=self.out.num_rows,
            dropped=dict(sorted(reasons.items())),
            merged=merged,
            pending=self.pending.num_rows,
            stopped=self.stopped,
            noted=self.noted,
            passed=self.passed,
            shards=out,
            dropped_in=(gone,),
            pending_in=(waits,),
            spent=spent,
        ).balanced()
        write_json(tally.plain(), folder / RECEIPT)
        return tally


@dataclass(frozen=True, slots=True)
class Fallen:
    """The rows that a fold dropped, each with its reason; put together when they are written."""

    rows: Chosen
    drops: Sequence[Drop]

    @property
    def num_rows(self) -> int:
        return len(self.drops)

    @property
    def reasons(self) -> Iterator[str]:
        return (drop.reason for drop in self.drops)

    def slice(self, offset: int = 0, length: int | None = None) -> pa.Table:
        rows, drops = self.rows.slice(offset, length), self.drops[offset : None if length is None else offset + length]
        for what in ("reason", "detail", "into"):
            rows = rows.append_column(DROPPED.field(what), pa.array([getattr(d, what) for d in drops], pa.string()))
        return rows


def row_of(record: Record, drop: Drop) -> dict[str, Any]:
    """A dropped record as a row that says why."""
    return (drop.record or record).row() | {"reason": drop.reason, "detail": drop.detail, "into": drop.into}


def counting(bench: Bench, shards: Sequence[Shard]) -> Callable[[], None]:
    """Counts one record more of the shard as done, from none on: a shard may be tried again."""
    path, through = shards[0].path if shards else "", bench.through
    through[path] = 0

    def done_one() -> None:
        through[path] += 1

    return done_one


async def each(step: Each, rows: pa.Table, teachers: Tiers | None, bench: Bench, done_one: Callable[[], None]) -> Done:
    records = records_of(rows)
    ids = rows.column("prompt_id").to_pylist()

    async def one(number: int) -> tuple[Outcome | None, dict[str, str]]:
        try:
            return await tried(step, records[number], ids[number], teachers, bench.seed)
        finally:
            done_one()

    outcomes = await through(one, len(records), bench.room if teachers else Seats(max(1, len(records))))
    done = Done(len(records), SCHEMA.empty_table())
    out: list[Record] = []
    sources: list[int] = []
    pending: list[int] = []
    for number, (record, (outcome, stop)) in enumerate(zip(records, outcomes, strict=True)):
        if outcome is None:
            pending.append(number)
            done.stopped |= stop
        elif not outcome.balanced:
            raise Unbalanced(
                f"{name(step)} lost track of {record.prompt_id}: {outcome.made} made, {len(outcome.out)} out"
            )
        else:
            out += outcome.out
            sources += [number] * len(outcome.out)
            done.made += outcome.made
            done.note(outcome)
            done.dropped += [row_of(record, d) for d in outcome.dropped]
    done.out = rewritten(out, rows, records, sources)
    done.pending = rewritten([records[i] for i in pending], rows, records, pending)
    return done


async def tried(
    step: Each, record: Record, prompt_id: str, teachers: Tiers | None, seed: int
) -> tuple[Outcome | None, dict[str, str]]:
    """A record's outcome, or None where it must wait and why."""

    def ask(teacher: Teacher) -> Awaitable[Outcome]:
        return step(record, teacher, dice(seed, name(step), prompt_id))

    try:
        return await (teachers.ask(record, prompt_id, ask) if teachers else ask(cast(Teacher, None))), {}
    except NoAnswer as none:
        return Outcome().dropping(none.reason, none.detail), {}
    except (BudgetReached, TeacherUnusable, Unanswered) as stop:
        return None, {STOPS[type(stop)]: str(stop)}


def sieve(step: TableStep, rows: pa.Table) -> Done:
    sieved = step(rows)
    if sieved.table.num_rows != rows.num_rows or len(sieved.reason) != rows.num_rows:
        raise Unbalanced(f"{name(step)} gave {sieved.table.num_rows} rows for {rows.num_rows}")
    gone = sieved.reason.is_valid()
    detail = sieved.detail if sieved.detail is not None else pa.nulls(rows.num_rows, pa.string())
    why = {"reason": sieved.reason, "detail": detail.fill_null(""), "into": pa.repeat("", rows.num_rows)}
    dropped = sieved.table
    for column, values in why.items():
        dropped = dropped.append_column(column, values)
    kept = sieved.table.filter(sieved.reason.is_null())
    return Done(rows.num_rows, kept, dropped.filter(gone).to_pylist(), noted=counted(sieved.noted))


async def grow(step: Grow, rows: pa.Table, teacher: Teacher, bench: Bench, shards: Sequence[Shard]) -> Done:
    """Batches until the target is reached or the step ends; what was accepted joins the pool at once."""
    pool = records_of(rows)
    chance = dice(bench.seed, name(step), identity("g", rows.column("row_id").to_pylist()))
    path = shards[0].path if shards else ""
    done = Done(len(pool), SCHEMA.empty_table())
    grown, ended = 0, set[str]()
    try:
        async for outcome in step(pool, teacher, chance):
            pool += outcome.out
            ended |= {d.record.roots[0] for d in outcome.dropped if d.given and d.record}
            grown += len(outcome.out)
            bench.through[path] = grown if step.target is not None else len(ended)
            done.made += outcome.made
            done.note(outcome)
            done.dropped += [row_of(candidate(step, d), d) for d in outcome.dropped]
            if step.target is not None and grown >= step.target:
                break
        else:
            if step.target is not None:
                done.stopped["short"] = f"{grown} of {step.target} grown before the step gave up"
    except NoAnswer as none:
        done.stopped["short"] = f"{grown} of {step.target} grown before a question got no answer: {none.reason}"
    except (BudgetReached, TeacherUnusable, Unanswered) as stop:
        done.stopped[STOPS[type(stop)]] = str(stop)
    done.out = table(r for r in pool if r.roots[0] not in ended)
    return done


def candidate(step: Grow, drop: Drop) -> Record:
    """What a growing step dropped. No record came in, so it must name one."""
    if drop.record is None:
        raise Unbalanced(f"{name(step)} dropped a record ({drop.reason}) that it did not make")
    return drop.record


def fold(step: Fold, rows: pa.Table) -> Done:
    folded = step(rows)
    fallen = Fallen(Chosen(rows, [i for i, _ in folded.dropped]), [drop for _, drop in folded.dropped])
    return Done(rows.num_rows, folded.table, fallen=fallen, noted=counted(folded.noted))


def counted(noted: Mapping[str, int]) -> dict[str, int]:
    return {what: count for what, count in noted.items() if count}
