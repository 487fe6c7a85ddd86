"""Trace a published row back: to its log rows, the prompt files that made it, and the calls that asked for it.

The call store is keyed by requests, not by rows, so its calls are found by what they hold: the row's conversation
as the turns that were sent, or as the transcript that a judge reads.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.history.dataset import Dataset, Entry, Unfit, read_manifest
from tasks.publish.version import SIDES, record
from tasks.record import Record
from tasks.teacher.store import Stored, stored
from tasks.transcript import asked


def trace(dataset: Dataset, version: str, row_id: str) -> dict[str, Any]:
    """Everything that is known of a row, as plain data. Raises Unfit where the version has no such row."""
    entry = dataset.publishing(version)
    folder = dataset.versions / version
    side, file, row = found(folder, row_id)
    prompts = prompt_files(folder)
    return {
        "row_id": row_id,
        "version": version,
        "split": side,
        "file": file,
        "row": {k: v for k, v in row.items() if k not in ("row_id", "roots", "lineage")},
        "lineage": [stamp | {"files": files_of(stamp, prompts)} for stamp in row["lineage"]],
        "logs": logs(dataset, entry, [*row["roots"], *(row.get("derived_from") or ())]),
        "calls": calls(stored(dataset.calls), record(row), prompts),
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


def files_of(stamp: dict[str, Any], prompts: dict[str, tuple[str, str]]) -> list[str]:
    """The files of the version that a stamp's sha256 names."""
    return [f"prompts/{name}" for name, (digest, _) in prompts.items() if digest == stamp["prompt"]]


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


def calls(store: Iterable[Stored], row: Record, prompts: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """The calls whose request holds the row's prompt, oldest first: the request as sent, and the reply."""
    text = asked(row)
    kept = []
    last = json.dumps(row.ask[-1].content.strip("\n"), ensure_ascii=False)[1:-1] if row.ask else ""
    for call in store:
        if last not in call.request:  # as it stands in the JSON: most calls need no parsing
            continue
        body = json.loads(call.request)
        if holds(body["messages"], row, text):
            reply = {"text": call.reply.text, "reasoning": call.reply.reasoning, "tool_calls": call.reply.tool_calls}
            same = {"key": call.key, "at": call.at, "outcome": call.outcome, "seconds": call.latency}
            kept.append(same | {"step": step_of(body["messages"], prompts), "request": body, "reply": reply})
    return sorted(kept, key=lambda c: (c["at"], c["key"]))


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
