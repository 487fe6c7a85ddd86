"""Tools that conversations are made for: each with the JSON schemas of its parameters and of what it gives back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from tasks.produce.seeds import read
from tasks.record import ToolCall
from tasks.tool_calls import fault_of


@dataclass(frozen=True, slots=True)
class Tool:
    """One line of a file of tools."""

    name: str
    description: str
    parameters: dict[str, Any]
    returns: dict[str, Any]

    @property
    def declared(self) -> dict[str, Any]:
        """As the API takes it; what it gives back is not told to a model."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}

    def misfit(self, result: str) -> str:
        """Why a text is no result of this tool; nothing where it is one."""
        gives = [{"name": self.name, "parameters": self.returns}]
        return fault_of(ToolCall("", self.name, result), json.dumps(gives))


LINE = TypeAdapter(Tool)


@cache
def read_tools(path: str) -> tuple[Tool, ...]:
    """The tools of a JSONL file. Raises RecipeError where it cannot be read or a line is no tool."""
    return read(path, LINE.validate_json, "a file of tools", "name, description, parameters and returns on each line")


def listed(tools: Iterable[Tool]) -> str:
    """Declarations as JSON text, one tool on each line."""
    lines = [json.dumps(tool.declared, ensure_ascii=False) for tool in tools]
    return "[" + ",\n ".join(lines) + "]"
