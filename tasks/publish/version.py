"""Stage a version: the whole dataset as a folder that consumers load as it is.

    README.md manifest.json
    data/chat/{train,validation,test}-00000-of-0000N.parquet                the default config
    data/prompt_completion/…                                                the same rows, cut before the response
    data/preference/…                                                       prompt, chosen and rejected; a row for each
                                                                            rejected answer, no file where there is none
    reports/gates.json funnel.json
    prompts/                                                                the prompt files that made it

The rows are the parent's and then the new ones. The same rows and recipe give the same bytes: nothing
here knows the time of day.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.chosen import parts
from tasks.mapped import spooled
from tasks.prompt import LANGUAGES, file_of
from tasks.record import Record, identity, message
from tasks.schema import AT_ONCE, SCHEMA, conformed
from tasks.shard import placed, sha256

SIDES = ("train", "validation", "test")
FILE_ROWS = 50_000
ROW_GROUP = 10_000
SCHEMA_VERSION = 4
PUBLISHED = (  # what of a record is published, in this order: no user, no session, nothing that the student said
    "row_id",
    "prompt_id",
    "messages",
    "input",
    "tools",
    "language",
    "task_type",
    "subtype",
    "domain",
    "tags",
    "judge_score",
    "scores",
    "teacher",
    "licence",
    "prompt_tokens",
    "response_tokens",
    "roots",
    "lineage",
    "derived_from",
    "passage",
    "reference",
    "constraints",
    "rejected_answers",
)
JUDGE_SCORE = pa.field("judge_score", pa.float64())
CHAT = pa.schema([JUDGE_SCORE if n == JUDGE_SCORE.name else SCHEMA.field(n) for n in PUBLISHED])
TURNS = SCHEMA.field("messages").type
PAIRS = pa.schema(
    [
        CHAT.field("row_id"),
        ("prompt", TURNS),
        ("completion", TURNS),
        *(CHAT.field(n) for n in ("tools", "language", "task_type", "subtype", "domain")),
    ]
)
PREFERENCE = pa.schema(
    [
        CHAT.field("row_id"),
        ("prompt", TURNS),
        ("chosen", TURNS),
        ("rejected", TURNS),
        *(CHAT.field(n) for n in ("tools", "language", "task_type", "subtype", "domain")),
    ]
)
ALWAYS = ("role", "content", "trained")  # what every turn has
NEVER = datetime.fromtimestamp(0, UTC)  # when a row was asked is not published
CONFIGS = {"chat": CHAT, "prompt_completion": PAIRS, "preference": PREFERENCE}


def published(table: pa.Table, folder: Path | None = None) -> dict[str, pa.Table]:
    """Records as published rows, side by side; they lie in `folder`, or in memory."""
    return {side: spooled(chat_rows(table, side), CHAT, folder) for side in SIDES}


def chat_rows(table: pa.Table, side: str) -> Iterator[pa.Table]:
    """Records of one side as published rows, batch by batch."""
    for batch in table.to_batches():
        rows = pa.table(batch).filter(pc.field("split") == side)
        if rows.num_rows:
            scores = [[s["value"] for s in row if s["name"] == "judge"] for row in rows.column("scores").to_pylist()]
            judged = rows.append_column("judge_score", pa.array([s[0] if s else None for s in scores], pa.float64()))
            yield without_empty_tools(judged).select(CHAT.names).cast(CHAT)


def without_empty_tools(rows: pa.Table) -> pa.Table:
    """Rows with null for no tools: TRL reads a text as JSON, and an empty one is none."""
    tools = pa.array([text or None for text in rows.column("tools").to_pylist()], pa.string())
    return rows.set_column(rows.column_names.index("tools"), "tools", tools)


def record(row: dict[str, Any]) -> Record:
    """A published row as a record: what it says and what it is called; what was never published of it is empty."""
    return Record(
        roots=tuple(row["roots"]),
        messages=tuple(message(m) for m in row["messages"]),
        asked_at=NEVER,
        input=row["input"],
        tools=row["tools"] or "",
        language=row["language"],
        passage=row.get("passage") or "",  # older versions have none
    )


def parent_rows(version: Path | None, folder: Path | None = None) -> dict[str, pa.Table]:
    """The rows of a version, side by side; nothing for none. They lie in `folder`, or in memory."""
    files = {side: sorted(version.glob(f"data/chat/{side}-*.parquet")) if version else [] for side in SIDES}
    rows = {side: (ours(pq.read_table(f)) for f in fs) for side, fs in files.items()}
    schemas = {side: ours(pq.read_schema(fs[0]).empty_table()).schema if fs else CHAT for side, fs in files.items()}
    return {side: spooled(rows[side], schemas[side], folder) for side in SIDES}


def ours(rows: pa.Table) -> pa.Table:
    """Rows of any version as rows of today; what Parquet says of their fields besides stays."""
    return without_empty_tools(conformed(rows, CHAT))


def beside(version: Path, columns: Sequence[str]) -> dict[str, pa.Table]:
    """What stands beside the texts of a staged version, side by side; of the files only these columns are read."""
    nothing = pa.schema([CHAT.field(c) for c in columns]).empty_table()
    files = {side: sorted(version.glob(f"data/chat/{side}-*.parquet")) for side in SIDES}
    read = {side: (pq.read_table(f, columns=[*columns]) for f in fs) for side, fs in files.items()}
    return {side: pa.concat_tables([nothing, *tables]) for side, tables in read.items()}


def with_roots(rows: pa.Table, merged: Mapping[str, Iterable[str]]) -> pa.Table:
    """Rows with the log ids added that merged into them since they were published."""
    ids, roots = rows.column("row_id").to_pylist(), rows.column("roots").to_pylist()
    if not merged.keys() & set(ids):
        return rows
    grown = [[*old, *sorted(set(merged.get(i, ())) - set(old))] for i, old in zip(ids, roots, strict=True)]
    return rows.set_column(CHAT.get_field_index("roots"), "roots", pa.array(grown, pa.list_(pa.string())))


def pairs(rows: pa.Table) -> pa.Table:
    """Chat rows cut before the response that carries loss, as they are trained on: with their input, and null for
    what a turn does not have, as chat templates ask whether a key is there."""
    same = {n: rows.column(n) for n in PAIRS.names if n not in ("prompt", "completion")}
    asked: list[pa.Array] = []
    answers: list[pa.Array] = []
    for some in parts(rows, AT_ONCE):
        turns = rendered(some)
        asked.append(pa.array([t[:-1] for t in turns], TURNS))
        answers.append(pa.array([t[-1:] for t in turns], TURNS))
    cut = {"prompt": pa.concat_arrays(asked), "completion": pa.concat_arrays(answers)}
    return pa.table({**same, **cut}, schema=PAIRS)


def preferences(rows: pa.Table) -> pa.Table:
    """A row for each rejected answer of chat rows: the prompt, the response and what it is preferred to, as turns."""
    rows = rows.filter(pa.array([bool(worse) for worse in rows.column("rejected_answers").to_pylist()], pa.bool_()))
    same = rows.select([n for n in PREFERENCE.names if n in PAIRS.names and n != "prompt"]).to_pylist()
    made = [
        kept | {"prompt": turns[:-1], "chosen": turns[-1:], "rejected": [said_instead(turns[-1], text)]}
        for kept, turns, worse in zip(same, rendered(rows), rows.column("rejected_answers").to_pylist(), strict=True)
        for text in worse
    ]
    return pa.Table.from_pylist(made, schema=PREFERENCE)


def said_instead(response: dict[str, Any], text: str) -> dict[str, Any]:
    """The turn of a response with a text alone in its place."""
    return {k: v if k in ALWAYS else None for k, v in response.items()} | {"content": text}


def rendered(rows: pa.Table) -> list[list[dict[str, Any]]]:
    """The turns of each chat row as trainers render them."""
    return [
        [{k: v if v or k in ALWAYS else None for k, v in turn.items()} for turn in asked_with(*row)]
        for row in zip(*(rows.column(n).to_pylist() for n in ("messages", "input")), strict=True)
    ]


def asked_with(turns: list[dict[str, Any]], given: str) -> list[dict[str, Any]]:
    """The turns with an input of its own below what is asked last, as the teacher saw it."""
    if not given:
        return turns
    *before, last, response = turns
    return [*before, last | {"content": f"{last['content']}\n\n{given}"}, response]


def stage(folder: Path, sides: Mapping[str, pa.Table]) -> list[dict[str, Any]]:
    """Write the data files afresh into `folder`; gives an entry for the manifest for each."""
    shutil.rmtree(folder, ignore_errors=True)
    written = []
    for config in CONFIGS:
        for side, chat in sides.items():
            rows = ranked(chat, folder) if config == "preference" else chat
            count = math.ceil(rows.num_rows / FILE_ROWS)
            for i in range(count):
                part = rows.slice(i * FILE_ROWS, FILE_ROWS)
                path = folder / "data" / config / f"{side}-{i:05d}-of-{count:05d}.parquet"
                written.append(data_file(part, path, folder, config, side))
    return written


def ranked(chat: pa.Table, folder: Path) -> pa.Table:
    """The rows of the preference config, a row group after the other."""
    made = spooled((preferences(pa.table(batch)) for batch in chat.to_batches()), PREFERENCE, folder)
    return spooled((group.combine_chunks() for group in parts(made, ROW_GROUP)), PREFERENCE, folder)


def data_file(rows: pa.Table, path: Path, folder: Path, config: str, side: str) -> dict[str, Any]:
    schema = rows.schema if config == "chat" else CONFIGS[config]
    with placed(path) as out, pq.ParquetWriter(out, schema, compression="zstd") as sink:
        for group in parts(rows, ROW_GROUP):
            sink.write_table(pairs(group) if config == "prompt_completion" else group, ROW_GROUP)
    name = path.relative_to(folder).as_posix()
    size = {"bytes": path.stat().st_size, "rows": rows.num_rows, "sha256": sha256(path)}
    return {"path": name, "config": config, "split": side, **size}


def prompts_of(version: Path) -> set[str]:
    """The prompt files that the lineage of a version's rows names."""
    named: set[str] = set()
    leaves = [f"lineage.list.element.{name}" for name in ("step", "prompt")]
    for file in version.glob("data/chat/*.parquet"):
        for batch in pq.ParquetFile(file).iter_batches(columns=leaves):
            stamps = batch.column("lineage").flatten()
            both = zip(*(stamps.field(name).to_pylist() for name in ("step", "prompt")), strict=True)
            named |= {step for step, prompt in both if prompt}
    return named


def carry_prompts(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Copy the prompt files that were used into the version; gives their sha256 by name."""
    used: dict[str, str] = {}
    for name in sorted(set(names)):
        for language in LANGUAGES:
            origin = file_of(name, language)
            target = folder / "prompts" / f"{name.lstrip('/').replace('..', '')}.{language}.toml"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, target)
            used[target.relative_to(folder / "prompts").as_posix()] = sha256(target)
    return used


def content_hash(files: Iterable[dict[str, Any]]) -> str:
    """One name for all data of a version."""
    return identity("v", sorted((f["path"], f["sha256"]) for f in files))


def change(parent: dict[str, Any] | None, rules: dict[str, Any], added: int) -> str:
    """Which part of the version number grows: `major` where schema, split rule or taxonomy changed."""
    if parent and parent["rules"] != rules:
        return "major"
    return "minor" if added else "patch"


def rules(taxonomy: Any, split: Any) -> dict[str, Any]:
    """What a version's rows were made by; a change makes the next version a major one."""
    return {
        "schema": identity("s", SCHEMA_VERSION, str(CHAT)),
        "split": identity("s", str(split)),
        "taxonomy": identity("t", repr(taxonomy)),
    }
