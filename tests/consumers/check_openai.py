"""Each line of the OpenAI export is what the SDK's types and the service's rules for fine-tuning take."""

from __future__ import annotations

import json
import sys
from typing import Any

from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam
from published import Report, Version, differences, said
from pydantic import TypeAdapter

MESSAGES = TypeAdapter(list[ChatCompletionMessageParam])
TOOLS = TypeAdapter(list[ChatCompletionFunctionToolParam])
FEWEST = 10  # what the service takes to train on


def faults_of(line: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """What is wrong with one example: keys, types, weights, tools, and the text against the row."""
    unknown = sorted(line.keys() - {"messages", "tools"})
    weighed = [m for m in line["messages"] if "weight" in m]
    bare = [{k: v for k, v in m.items() if k != "weight"} for m in line["messages"]]
    faults = [f"the key {k} is unknown" for k in unknown] + [f"null in {m}" for m in bare if None in m.values()]
    faults += differences("message", through(MESSAGES, bare), bare)
    faults += differences("tool", through(TOOLS, line.get("tools", [])), line.get("tools", []))
    faults += [f"weight {m['weight']!r} on {m['role']}" for m in weighed if m["role"] != "assistant"]
    faults += [f"weight {m['weight']!r}" for m in weighed if type(m["weight"]) is not int or m["weight"] not in (0, 1)]
    learnt = [
        said({"tool_calls": None} | m) for m in line["messages"] if m["role"] == "assistant" and m.get("weight", 1)
    ]
    faults += differences("taught turn", learnt, [said(m) for m in row["messages"] if m["trained"]])
    declared = [t["function"]["name"] for t in line.get("tools", [])]
    called = {c["function"]["name"] for m in bare for c in m.get("tool_calls", [])}
    faults += [f"{name} is called but not declared" for name in sorted(called - {*declared})]
    return faults


def through(shape: TypeAdapter[Any], given: list[Any]) -> list[Any]:
    """The values as the types know them: raises where one does not fit, and leaves unknown keys behind."""
    return shape.dump_python(shape.validate_python(given), mode="json", warnings=False)


def check(version: Version, split: str, report: Report) -> None:
    rows = version.rows("chat", split)
    lines = version.exports("openai")[split].read_bytes().decode().split("\n")
    examples = [json.loads(line) for line in lines if line]
    faults = differences("example", [len(examples)], [len(rows)])
    for i, (line, row) in enumerate(zip(examples, rows, strict=False)):
        faults += [f"line {i + 1}: {fault}" for fault in faults_of(line, row)]
    if split == "train" and len(examples) < FEWEST:
        faults.append(f"{len(examples)} examples, at least {FEWEST} are taken")
    turns = [m for e in examples for m in e["messages"] if m["role"] == "assistant"]
    report.line(
        split, f"{len(examples)} rows, {sum(m.get('weight', 1) for m in turns)} of {len(turns)} turns trained", faults
    )


if __name__ == "__main__":
    report, version = Report("openai"), Version(sys.argv[1])
    for split in version.exports("openai"):
        with report.trying(split):
            check(version, split, report)
    report.close()
