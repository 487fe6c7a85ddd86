"""`flywheel trace` and `verify`: where a row comes from, and whether the dataset is what it says."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from flows.commands.ending import state_line
from flows.commands.grid import printable
from flows.commands.looking import Seen, looking, version_of
from tasks.history.dataset import Dataset
from tasks.publish.trace import became
from tasks.publish.trace import trace as traced
from tasks.publish.verify import verify as verified

LONG = 2000


@click.command()
@click.argument("row_id", metavar="ID")
@click.option("--version", "number", metavar="VERSION", help="The version that it is in. Default: the one in force.")
@looking
def trace(dataset: Dataset, row_id: str, number: str | None) -> Seen:
    """Where a published row comes from: its log rows, the prompts as sent, the calls and their replies.

    Of a log row (l-...): what became of it, and the published row that it went into or is near to.
    """
    if row_id.startswith("l-"):
        log = became(dataset, row_id)
        return Seen(log, line_of(log))
    plain = traced(dataset, version_of(dataset, number), row_id)
    row = plain["row"]
    said = [f"{row_id}, {plain['split']} of {plain['version']}", f"  {plain['file']}"]
    kind = "/".join(filter(None, (row["task_type"], row["subtype"])))
    said.append(f"  {', '.join(filter(None, (row['language'], kind, row['domain'], row['teacher'])))}")
    said += [f"  {s['name']} {s['value']:g}: {printable(s['reason'])}" for s in row["scores"]]
    said += ["", "The row", *turns(row["messages"]), "", "What made it"]
    for stamp in plain["lineage"]:
        by = ", ".join(filter(None, (stamp["model"], *stamp["files"])))
        said += [f"  {stamp['step']} {by}".rstrip()] + [f"    sha256 {stamp['prompt']}"] * bool(stamp["prompt"])
        said += [printable(f"    {stamp['detail']}")] * bool(stamp["detail"])
        said += [f"    from {', '.join(stamp['parents'])}"] * bool(stamp["parents"])
    said += ["", "Its log rows (their text is not kept once they are published)"]
    said += [f"  {line_of(log)}" for log in plain["logs"]]
    said += ["", f"Its calls: {len(plain['calls'])}"]
    for call in plain["calls"]:
        said += ["", f"  {call['step'] or 'call'} {call['outcome']}, {call['at']}, {call['key'][:12]}"]
        said += [
            "  sent",
            *turns(call["request"]["messages"]),
            "  reply",
            *turns([{"role": "", "content": spoken(call["reply"])}]),
        ]
    return Seen(plain, "\n".join(said))


def line_of(log: dict[str, Any]) -> str:
    """A log row in one line: its state, into which row and why, and where it was read."""
    said = state_line(log["state"]) if log["state"] else "in no ledger"
    said += f": {log['into']}" * bool(log["into"]) + f" ({log['detail']})" * bool(log["detail"])
    read = f" from {', '.join(log['sources'])}" if log["sources"] else ""
    where = f", read by run {log['increment']}{read}" if log["increment"] else ""
    return printable(f"{log['log_id']} {said}{where}")


def spoken(reply: dict[str, Any]) -> str:
    calls = [json.dumps(c, ensure_ascii=False) for c in reply["tool_calls"]]
    return "\n".join(filter(None, (reply["reasoning"] and f"(reasoning) {reply['reasoning']}", reply["text"], *calls)))


def turns(messages: list[dict[str, Any]]) -> list[str]:
    """Turns for a terminal, long ones cut; --json has them whole."""
    said = []
    for m in messages:
        text = printable(m.get("content") or json.dumps(m.get("tool_calls") or "", ensure_ascii=False))
        cut = f" … ({len(text) - LONG} characters more; --json has them)" if len(text) > LONG else ""
        lines = [f"      {line}" for line in (text[:LONG] + cut).splitlines()]
        said += [f"    {m['role']}"] * bool(m["role"]) + lines
    return said


@click.command()
@click.argument("version", required=False)
@looking
def verify(dataset: Dataset, version: str | None) -> Seen:
    """Check a version (default: the one in force) and the increment log against the files; exit code 1 for findings.

    Checksums, Arrow schema, ids computed again, no row and no near-duplicate across the split, every log row
    accounted for.
    """
    seen = verified(dataset, version)
    looked = {"files": seen.files, "rows": seen.rows, "increments": seen.increments}
    plain = {"version": seen.version, "well": not seen.findings, "checked": looked}
    plain["findings"] = [asdict(f) for f in seen.findings]
    did = ", ".join(f"{n} {what}" for what, n in looked.items())
    head = f"{dataset.folder.name} {seen.version or '(nothing published)'}: {did} checked, "
    if not seen.findings:
        return Seen(plain, head + "all is well")
    lines = [f"  {f.check:<10}  {printable(f.what)}" for f in seen.findings]
    return Seen(plain, "\n".join([f"{head}{len(lines)} found", *lines]), 1)
