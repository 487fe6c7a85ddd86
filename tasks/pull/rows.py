"""A log row as a record: the field mapping, and what to do with rows that are not what was promised."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from tasks.recipe import Mapping
from tasks.record import Message, Record, ToolCall, identity
from tasks.tools import declared

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
SURROGATE = re.compile(r"[\ud800-\udfff]")
ROLES = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "ai": "assistant",
    "model": "assistant",
}
ROLES |= {"observation": "tool", "system": "system", "developer": "system", "tool": "tool", "function": "tool"}
VOTES = {"up": "up", "thumbs_up": "up", "like": "up", "1": "up", "1.0": "up", "+1": "up", "true": "up", "good": "up"}
VOTES |= {
    "down": "down",
    "thumbs_down": "down",
    "dislike": "down",
    "-1": "down",
    "-1.0": "down",
    "false": "down",
    "bad": "down",
}
NOT_TEXT = "not_text"


class Unreadable(ValueError):
    """A row cannot be used; the message is the reason's name."""


def record_of(row: dict[str, Any], mapping: Mapping, source: str) -> Record:
    """The record of a row. Raises Unreadable with a reason."""
    turns = at(row, mapping.messages)
    if isinstance(turns, str):
        turns = [{"role": "user", "content": turns}]
    if not isinstance(turns, list) or not turns:
        raise Unreadable("no_messages")
    messages, textual = [], True
    for said in turns:
        one, text_only = message_of(said)
        messages.append(one)
        textual &= text_only
    response = text(at(row, mapping.response))[0]
    if messages[-1].role == "assistant" and len(messages) > 1:
        response = response or messages[-1].content
        messages.pop()
    if messages[-1].role not in ("user", "tool"):
        raise Unreadable("nothing_asked")
    asked_at = moment(at(row, mapping.time))
    if (system := text(at(row, mapping.system))[0]) and messages[0].role != "system":
        messages.insert(0, Message("system", system))
    return Record(
        roots=(log_id(row, mapping, source, asked_at),),
        messages=tuple(messages),
        asked_at=asked_at,
        input=text(at(row, mapping.input))[0],
        tools=tools_of(at(row, mapping.tools)),
        tags=() if textual else (NOT_TEXT,),
        conversation=hashed("c", source, at(row, mapping.conversation)),
        user=hashed("u", source, at(row, mapping.user)),
        student=sound(at(row, mapping.model)),
        student_response=response,
        vote=VOTES.get(sound(at(row, mapping.vote)).lower(), ""),
    )


def log_id(row: dict[str, Any], mapping: Mapping, source: str, asked_at: datetime) -> str:
    """The row's name: the source's name, its own id and its time; without an id, its content."""
    own = at(row, mapping.id)
    if own in (None, ""):
        return identity("l", source, row)
    return identity("l", source, str(own), asked_at.isoformat())


def message_of(said: Any) -> tuple[Message, bool]:
    """A turn, and whether it was text alone. Raises Unreadable."""
    if not isinstance(said, dict):
        raise Unreadable("bad_message")
    role = ROLES.get(str(said.get("role", said.get("from", ""))).lower())
    if role is None:
        raise Unreadable("bad_role")
    content, textual = text(said.get("content", said.get("value")))
    given = said.get("tool_calls") or []
    if not isinstance(given, list):
        raise Unreadable("bad_tool_call")
    calls = tuple(map(call_of, given))
    if not content and not calls and role == "user" and textual:
        raise Unreadable("empty_message")
    made = Message(
        role, content, tool_calls=calls, tool_call_id=sound(said.get("tool_call_id")), name=sound(said.get("name"))
    )
    return made, textual


def call_of(plain: Any) -> ToolCall:
    try:
        function = plain["function"]
        arguments = function["arguments"]
        arguments = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        return ToolCall(sound(plain.get("id")), sound(function["name"]), sound(arguments))
    except (KeyError, TypeError, AttributeError):
        raise Unreadable("bad_tool_call") from None


def tools_of(given: Any) -> str:
    """Declared tools as JSON text in the shape of the API, each in its wrapper; nothing where they cannot be read, as
    one row of another shape fails a whole training run."""
    tools = declared(given if isinstance(given, str) else json.dumps(given)) if given else []
    return sound(json.dumps(tools, ensure_ascii=False)) if tools else ""


def text(content: Any) -> tuple[str, bool]:
    """Content as text, and whether it was text alone: parts that are not text are left out."""
    if content is None or isinstance(content, str):
        return sound(content), True
    if isinstance(content, list):
        parts = [p.get("text") if isinstance(p, dict) else p for p in content]
        said = [p for p in parts if isinstance(p, str)]
        return sound("\n".join(said)), len(said) == len(parts)
    raise Unreadable("bad_content")


def moment(given: Any) -> datetime:
    """A time: ISO 8601, UTC where it names no zone, or seconds or milliseconds since 1970. Raises Unreadable."""
    if given in (None, ""):
        return UNDATED
    try:
        if isinstance(given, str) and not re.fullmatch(r"\d+(\.\d+)?", given):
            read = datetime.fromisoformat(given.strip())
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        number = float(given)
        return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        raise Unreadable("bad_time") from None


def at(row: dict[str, Any], path: str) -> Any:
    """What stands at a dotted path, or under a name with dots; None where nothing does, and for no path."""
    if not path or path in row:
        return row.get(path) if path else None
    here: Any = row
    for step in path.split("."):
        if isinstance(here, dict):
            here = here.get(step)
        elif isinstance(here, list) and step.lstrip("-").isdigit() and -len(here) <= int(step) < len(here):
            here = here[int(step)]
        else:
            return None
    return here


def sound(given: Any) -> str:
    """A value as text that UTF-8 can hold; nothing for None."""
    return "" if given is None else SURROGATE.sub("\ufffd", str(given))


def hashed(kind: str, source: str, given: Any) -> str:
    """A stable name for a user or a session that does not say who it is; empty for none."""
    return identity(kind, source, str(given)) if given not in (None, "") else ""
