"""A published row in the shapes that trainers read: OpenAI, ShareGPT, Alpaca, ms-swift, and ShareGPT for preferences.

Only turns that are `trained` may carry loss. OpenAI says so with `weight` and ms-swift with `loss`, turn by turn.
ShareGPT and Alpaca have no word for it: a row becomes an example for each turn that carries loss, cut after it, and
the trainer leaves the history alone (`mask_history` in LLaMA-Factory).

Every example of a shape has the same keys with values of the same types, so that no reader infers another schema
from another part of the file; tools and tool calls are therefore JSON text, but for OpenAI, who reads lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from tasks.publish.version import asked_with
from tasks.tools import declared

Plain = dict[str, Any]
ASKED, SAID = ("human", "observation"), ("gpt", "function_call")
FROM: dict[str, str] = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
TOOLS, TURNS, MIXED = "tools", "turns_out_of_order", "text_beside_tool_call"  # why a shape cannot carry a row


def openai(row: Plain) -> list[Plain] | str:
    """Chat messages with `weight`, `tools` where there are any; the reasoning is left out, as it has no place."""
    tools = declared(row["tools"])
    said = [openai_turn(t) for t in asked_with(row["messages"], row["input"])]
    return [{"messages": said} | ({"tools": tools} if tools else {})]


def openai_turn(turn: Plain) -> Plain:
    known = ("tool_call_id",) if turn["role"] == "tool" else ("tool_calls", "name")
    there = {k: turn[k] for k in known if turn[k]}
    weight = {"weight": int(turn["trained"])} if turn["role"] == "assistant" else {}
    return {"role": turn["role"], "content": turn["content"]} | there | weight


def swift(row: Plain) -> list[Plain] | str:
    """Messages with `loss`; a tool call is a turn of its own."""
    said = [m for t in asked_with(row["messages"], row["input"]) for m in swift_turns(t)]
    return [{"messages": said, "tools": tools_text(row)}]


def swift_turns(turn: Plain) -> list[Plain]:
    role = "tool_response" if turn["role"] == "tool" else turn["role"]
    loss = {"loss": turn["trained"]} if role == "assistant" else {}
    calls = [{"role": "tool_call", "content": compact(called(c))} | loss for c in turn["tool_calls"]]
    text = {"role": role, "content": thought(turn)} | loss
    return [text, *calls] if text["content"] or not calls else calls


def sharegpt(row: Plain) -> list[Plain] | str:
    """Conversations of `from` and `value`: human and observation by turns with gpt and function_call."""
    system, rest = apart(asked_with(row["messages"], row["input"]))
    if any(t["tool_calls"] and thought(t) for t in rest):
        return MIXED
    said = [one for role, turns in groupby(rest, lambda t: t["role"]) for one in shared(role, [*turns])]
    if not by_turns([s["from"] for s, _ in said]):
        return TURNS
    ends = [i + 1 for i, (_, trained) in enumerate(said) if trained]
    lead = [{"from": "system", "value": t["content"]} for t in system]
    return [{"conversations": [*lead, *(s for s, _ in said[:end])], "tools": tools_text(row)} for end in ends]


def preference(row: Plain) -> list[Plain] | str:
    """ShareGPT up to what is asked, with `chosen` and `rejected` turns: an example for each rejected answer."""
    worse = row.get("rejected_answers") or ()
    made = sharegpt(row) if worse else []
    if isinstance(made, str) or not made:
        return made
    *asked, chosen = made[-1]["conversations"]
    turns = {"conversations": asked, "chosen": chosen}
    return [turns | {"rejected": {"from": "gpt", "value": text}, "tools": made[-1]["tools"]} for text in worse]


def shared(role: str, turns: list[Plain]) -> list[tuple[Plain, bool]]:
    """Turns of one role in a row, each with whether it is trained; results of parallel calls are one observation."""
    if role == "tool":
        return [({"from": FROM[role], "value": "\n".join(t["content"] for t in turns)}, False)]
    return [(one_shared(t), t["trained"]) for t in turns]


def one_shared(turn: Plain) -> Plain:
    calls = [called(c) for c in turn["tool_calls"]]
    if calls:
        return {"from": "function_call", "value": compact(calls if len(calls) > 1 else calls[0])}
    return {"from": spoken_by(turn), "value": thought(turn)}


def spoken_by(turn: Plain) -> str:
    role: str = turn["role"]
    return FROM.get(role, role)


def alpaca(row: Plain) -> list[Plain] | str:
    """Instruction, input and output, earlier turns as `history`; a row with tools does not fit."""
    system, rest = apart(row["messages"])
    if declared(row["tools"]) or any(t["tool_calls"] or t["role"] == "tool" for t in rest):
        return TOOLS
    if not by_turns([spoken_by(t) for t in rest]):
        return TURNS
    lead = "\n\n".join(t["content"] for t in system)
    pairs = [*zip(rest[::2], rest[1::2], strict=True)]
    told = [[ask["content"], said["content"]] for ask, said in pairs]
    return [
        {
            "instruction": ask["content"],
            "input": row["input"] if i + 1 == len(pairs) else "",
            "output": thought(said),
            "history": told[:i],
            "system": lead,
        }
        for i, (ask, said) in enumerate(pairs)
        if said["trained"]
    ]


def apart(turns: list[Plain]) -> tuple[list[Plain], list[Plain]]:
    """The system turn at the beginning, if there is one, and the rest."""
    lead = int(bool(turns) and turns[0]["role"] == "system")
    return turns[:lead], turns[lead:]


def by_turns(roles: Sequence[str]) -> bool:
    """Whether the asking and the answering side speak by turns, and the answering side last."""
    return len(roles) % 2 == 0 and all(r in (SAID if i % 2 else ASKED) for i, r in enumerate(roles))


def thought(turn: Plain) -> str:
    """What a turn says; a trained one with its reasoning before it, in the marks that reasoning models use."""
    if not (turn["trained"] and turn["reasoning_content"]):
        return turn["content"]
    return f"<think>\n{turn['reasoning_content']}\n</think>\n\n{turn['content']}"


def called(call: Plain) -> Plain:
    """A tool call with its arguments as data, or as the text that they are where they cannot be read."""
    given = call["function"]["arguments"]
    try:
        arguments = json.loads(given)
        json.dumps(arguments, allow_nan=False)
    except ValueError:
        arguments = given
    return {"name": call["function"]["name"], "arguments": arguments}


def tools_text(row: Plain) -> str:
    """The tools as JSON text. An empty list for none: ms-swift 4.6 takes an empty text for a tool, and fails on it."""
    return compact(declared(row["tools"]))


def compact(plain: Any) -> str:
    return json.dumps(plain, ensure_ascii=False)


SHAPES: dict[str, Callable[[Plain], list[Plain] | str]] = {
    "openai": openai,
    "sharegpt": sharegpt,
    "alpaca": alpaca,
    "swift": swift,
    "preference": preference,
}
