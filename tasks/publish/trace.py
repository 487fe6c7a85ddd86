"""Trace a published row back: to its log rows, the prompt files that made it, and the calls that asked for it.

The call store is keyed by requests, not by rows, so its calls are found by what they hold: the row's conversation
as the turns that were sent, or as the transcript that a judge reads. A call that made the row (a technique that grows
prompts, a conversation that was played) is one that its technique sent and whose reply says a turn of it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.history.dataset import Dataset, Entry, Unfit, read_manifest
from tasks.publish.version import SIDES, record
from tasks.record import Record, stamp
from tasks.teacher.outcomes import Reply
from tasks.teacher.store import Stored, attempted, stored
from tasks.text import units
from tasks.transcript import asked

MAKING = ("produce", "answer")  # the stages whose techniques make rows
TELLING = 6  # words or characters from which on a turn is one row's own
Sent = Mapping[str, Mapping[str, str]]  # by call key: the record that a stage asked it for, and the stage
NOBODY: Sent = MappingProxyType({})


def trace(dataset: Dataset, version: str, row_id: str) -> dict[str, Any]:
    """Everything that is known of a row, as plain data. Raises Unfit where the version has no such row."""
    entry = dataset.publishing(version)
    folder = dataset.versions / version
    side, file, row = found(folder, row_id)
    prompts = prompt_files(folder)
    rejected = tuple(row.get("rejected_answers") or ())
    known = replace(record(row), lineage=tuple(map(stamp, row["lineage"])), rejected_answers=rejected)
    return {
        "row_id": row_id,
        "version": version,
        "split": side,
        "file": file,
        "row": {k: v for k, v in row.items() if k not in ("row_id", "roots", "lineage")},
        "lineage": [line | {"files": files_of(line, prompts)} for line in row["lineage"]],
        "logs": logs(dataset, entry, [*row["roots"], *(row.get("derived_from") or ())]),
        "calls": calls(stored(dataset.calls), known, prompts, attempted(dataset.calls, MAKING)),
    }


def became(dataset: Dataset, log_id: str) -> dict[str, Any]:
    """What became of a log row, and which published row it went into or is near to. Raises Unfit for one never read."""
    (one,) = logs(dataset, dataset.head, [log_id]) if dataset.head else ({"state": ""},)
    if not one["state"]:
        raise Unfit(f"no run of {dataset.folder} has read a log row {log_id}")
    return one


def found(version: Path, row_id: str) -> tuple[str, str, dict[str, Any]]:
    """A row of a version with its side and file."""
    for side in SIDES:
        for path in sorted(version.glob(f"data/chat/{side}-*.parquet")):
            rows = pq.read_table(path, filters=pc.field("row_id") == row_id).to_pylist()
            if rows:
                return side, path.relative_to(version).as_posix(), rows[0]
    raise Unfit(f"version {version.name} has no row {row_id}; ids stand in the column row_id of data/chat")


def prompt_files(version: Path) -> dict[str, tuple[str, str]]:
    """The prompt files that the version carries: name -> (sha256, how its first message begins)."""
    begun = {}
    for name, digest in read_manifest(version)["prompts"].items():
        message = tomllib.loads((version / "prompts" / name).read_text("utf-8"))["message"][0]
        begun[name] = (digest, message.get("content", "").split("{{")[0])
    return begun


def files_of(line: dict[str, Any], prompts: dict[str, tuple[str, str]]) -> list[str]:
    """The files of the version that a stamp's sha256 names."""
    return [f"prompts/{name}" for name, (digest, _) in prompts.items() if digest == line["prompt"]]


def logs(dataset: Dataset, entry: Entry, roots: Iterable[str]) -> list[dict[str, Any]]:
    """The state of each log row that the row stands on, the increment that says so, and the sources it read."""
    wanted = {r: {"log_id": r, "state": "", "into": "", "detail": "", "increment": None, "sources": []} for r in roots}
    for one in dataset.chain_to(entry):
        rows = pq.read_table(dataset.file(one, "ledger"), filters=pc.field("log_id").isin([*wanted])).to_pylist()
        uris = [s["uri"] for s in one.sources if "uri" in s]
        for row in rows:
            state = {k: row[k] for k in ("log_id", "state", "into", "detail")}
            wanted[row["log_id"]] = {**state, "increment": one.seq, "sources": uris}
    return [*wanted.values()]


def calls(
    store: Iterable[Stored],
    row: Record,
    prompts: dict[str, tuple[str, str]],
    sent: Sent = NOBODY,
) -> list[dict[str, Any]]:
    """The calls whose request holds the row's prompt, and those that techniques `sent` for it whose reply says a turn
    of it, oldest first: the request as sent, and the reply."""
    text = asked(row)
    kept, own = [], {"", row.prompt_id, *(parent for line in row.lineage for parent in line.parents)}
    last = json.dumps(row.ask[-1].content.strip("\n"), ensure_ascii=False)[1:-1] if row.ask else ""
    for call in store:
        by = next((stage for record, stage in sent.get(call.key, {}).items() if record in own), "")
        made = bool(by) and says(call.reply, row)
        if not made and last not in call.request:  # as it stands in the JSON: most calls need no parsing
            continue
        body = json.loads(call.request)
        if made or holds(body["messages"], row, text):
            reply = {"text": call.reply.text, "reasoning": call.reply.reasoning, "tool_calls": call.reply.tool_calls}
            same = {"key": call.key, "at": call.at, "outcome": call.outcome, "seconds": call.latency}
            kept.append(
                same | {"step": step_of(body["messages"], prompts) or by * made, "request": body, "reply": reply}
            )
    return sorted(kept, key=lambda c: (c["at"], c["key"]))


def says(reply: Reply, row: Record) -> bool:
    """Whether a reply has a turn of the row in it, as text, in a value of its JSON or as a tool call. Turns of a few
    words are only looked for as the whole of a value: they stand in many."""
    values = [v.strip() for v in (*strings(reply.text), reply.text)]
    turns = [m.content.strip() for m in row.messages if m.role != "system" and m.content.strip()]
    if any(turn in values or (units(turn) >= TELLING and any(turn in v for v in values)) for turn in turns):
        return True
    called = {(call.name, call.arguments) for m in row.messages for call in m.tool_calls}
    return any((call["name"], call["arguments"]) in called for call in reply.tool_calls)


def strings(text: str) -> list[str]:
    """Every text that is a value of a JSON reply; none where it is no JSON."""
    try:
        todo, found = [json.loads(text)], list[str]()
    except ValueError:
        return []
    while todo:
        one = todo.pop()
        found += [one] if isinstance(one, str) else []
        todo += [*one.values()] if isinstance(one, dict) else one if isinstance(one, list) else []
    return found


def holds(messages: list[dict[str, Any]], row: Record, transcript: str) -> bool:
    """Whether a request asks this prompt: its turns at the end of those that were sent, its turns with a draft that
    became `rejected` after them (a correction), or its transcript in one."""
    texts = [m.get("content") or "" for m in messages]
    if any(transcript in t for t in texts):
        return True
    turns = [(m.role, m.content) for m in row.ask if m.role != "system"]
    if row.input and turns:
        turns[-1] = (turns[-1][0], f"{turns[-1][1]}\n\n{row.input}")
    sent = [(m["role"], t) for m, t in zip(messages, texts, strict=True) if m["role"] != "system"]
    system = "\n\n".join(t for m, t in zip(messages, texts, strict=True) if m["role"] == "system")
    before, after = sent[: len(turns)], sent[len(turns) : len(turns) + 1]
    corrects = before == turns and any(role == "assistant" and text in row.rejected_answers for role, text in after)
    ends = sent[-len(turns) :] == turns
    return (ends or corrects) and all(m.content in system for m in row.ask if m.role == "system")


def step_of(messages: list[dict[str, Any]], prompts: dict[str, tuple[str, str]]) -> str:
    """The prompt that a request was made from, by how it begins; empty where the version carries none such."""
    text = messages[0].get("content") or "" if messages else ""
    fitting = [(len(begin), name) for name, (_, begin) in prompts.items() if begin and text.startswith(begin)]
    return max(fitting)[1].rsplit(".", 2)[0] if fitting else ""
