"""Render a conversation as a student reads it: its chat template, in a sandbox.

Templates are Jinja2 as model repositories ship them (https://huggingface.co/docs/transformers/chat_templating):
the same options, `raise_exception`, `strftime_now`, `tojson` and the `generation` block. They run in Jinja2's
immutable sandbox, and the day is always the same one, so that a row's length never depends on the date.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from jinja2 import Template, TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

DAY = datetime(2026, 1, 1, tzinfo=UTC)
BROKEN = (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError)


class Unrenderable(ValueError):
    """The template refuses a conversation; the message says why, and holds none of its text."""


class Generation(Extension):
    """`{% generation %}` marks what a trainer puts loss on; here it says only what is in it."""

    tags = {"generation"}  # noqa: RUF012  as Jinja2 has it

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def compiled(text: str) -> Template:
    """Raises TemplateSyntaxError."""
    sandbox = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
    )
    sandbox.filters["tojson"] = as_json
    sandbox.globals |= {"raise_exception": refuse, "strftime_now": DAY.strftime}
    return sandbox.from_string(text)


def as_json(value: Any, ensure_ascii: bool = False, **how: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, **how)


def refuse(why: str) -> None:
    raise TemplateError(why)


def render(template: Template, row: dict[str, Any], names: dict[str, str]) -> str:
    """The text of a row; `names` are the special tokens by their name. Raises Unrenderable."""
    try:
        tools = json.loads(row["tools"]) if row["tools"] else None
        return template.render(messages=turns(row), tools=tools, documents=None, add_generation_prompt=False, **names)
    except BROKEN as fault:
        said = str(fault) if type(fault) is TemplateError else type(fault).__name__
        raise Unrenderable(" ".join(said.split())[:120]) from None


def turns(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages as templates expect them: no empty fields, arguments as objects, the input below the last ask."""
    said = [{k: v for k, v in m.items() if v and k != "trained"} | {"content": m["content"]} for m in row["messages"]]
    for turn in said:
        if calls := turn.get("tool_calls"):
            turn["tool_calls"] = [
                c | {"function": c["function"] | {"arguments": read(c["function"]["arguments"])}} for c in calls
            ]
    if row["input"]:
        last = next(turn for turn in reversed(said) if turn["role"] == "user")
        last["content"] = f"{last['content']}\n\n{row['input']}"
    return said


def read(arguments: str) -> Any:
    """A call's arguments as an object where they are one, else as they stand."""
    try:
        plain = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    return plain if isinstance(plain, dict) else arguments
