"""What CSV, Parquet and databases have in common: rows under named columns, and JSON text in a column."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Self

from tasks.pull.lines import Line, plain
from tasks.recipe import Mapping


def column(path: str, names: Collection[str]) -> str:
    """The column that a dotted path begins in; empty where there is none. A name with dots is a column too."""
    if path in names:
        return path
    return path.split(".")[0] if path.split(".")[0] in names else ""


def inner(names: Collection[str], mapping: Mapping) -> frozenset[str]:
    """The columns that a path of the mapping leads into."""
    paths = (path for path in mapping.model_dump().values() if "." in path and path not in names)
    return frozenset(path.split(".")[0] for path in paths)


def structured(row: dict[str, Any], messages: str, inner: Collection[str]) -> dict[str, Any]:
    """A row with JSON text read where the mapping looks into it: turns, and columns that a path leads into.

    A messages column with other text is a prompt, JSON or not.
    """
    read = {name: loaded(row[name]) for name in inner if isinstance(row.get(name), str)}
    turns = row.get(messages)
    if isinstance(turns, str) and isinstance(given := loaded(turns), list) and given:
        read |= {messages: given} if all(isinstance(turn, dict) for turn in given) else {}
    return row | read


def loaded(text: str) -> Any:
    """JSON text as plain data, other text as it is."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return plain(text)
    except (ValueError, RecursionError):
        return text


@dataclass(frozen=True, slots=True)
class Columns:
    """What a mapping looks for in typed rows: the column of the turns, and those that a path leads into."""

    messages: str
    deep: frozenset[str]

    @classmethod
    def of(cls, names: Collection[str], mapping: Mapping) -> Self:
        return cls(mapping.messages, inner(names, mapping))

    def line(self, cells: dict[str, Any], file: str, number: int) -> Line:
        """A row of typed values as a line; its bytes are its JSON."""
        try:
            raw = json.dumps(cells, ensure_ascii=False, default=written)
            row = structured(plain(raw), self.messages, self.deep)
        except RecursionError:
            return Line(file, number, None, "nested_too_deep")
        return Line(file, number, row, "", raw.encode("utf-8", "surrogatepass"))


def written(value: Any) -> str:
    """A value that JSON does not have, as text. Times are in UTC, where they name no zone, too."""
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "backslashreplace")
    return str(value)
