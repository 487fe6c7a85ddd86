"""Log rows from a JSON document: an array of rows, an object that holds one such array, or one row alone.

The text of a document is held in memory, its rows one at a time; a longer one than MAX_DOCUMENT is
refused. A row that cannot be read costs no other row.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

from tasks.encoding import decoded
from tasks.pull.lines import FIRST, Line, json_lines, plain
from tasks.pull.rows import at
from tasks.pull.unpacked import HEAD
from tasks.recipe import Mapping

MAX_DOCUMENT = 64 * 2**20
NO_ROWS = re.compile(r"\s*\]\s*\Z")
MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]|,', re.DOTALL)


def document(stream: io.BufferedReader, file: str, mapping: Mapping) -> Iterator[Line]:
    """The rows of a document; a file that is JSON Lines under a name that ends in .json is read as such."""
    if many_lines(stream.peek(HEAD)):
        yield from json_lines(stream, file)
        return
    raw = stream.read(MAX_DOCUMENT + 1)
    text = decoded(raw) if len(raw) <= MAX_DOCUMENT else ""
    if len(raw) > MAX_DOCUMENT:
        yield Line(file, 1, None, "file_too_large", raw[:FIRST])
    elif text is None:
        yield Line(file, 1, None, "encoding_unknown", raw[:FIRST])
    elif text.lstrip().startswith("["):
        yield from array(text, file)
    elif text.strip():
        yield from within(text, file, mapping)


def many_lines(head: bytes) -> bool:
    """Whether a file's first line is an object of its own and something stands behind it."""
    first, _, rest = head.partition(b"\n")
    text = decoded(first)
    try:
        return bool(rest.strip()) and text is not None and isinstance(plain(text), dict)
    except (ValueError, RecursionError):
        return False


def array(text: str, file: str) -> Iterator[Line]:
    """The rows of the array that a text is. Where it is cut or broken, the rows before are given, then one line."""
    here, number = text.index("[") + 1, 0
    if NO_ROWS.match(text, here):
        return
    while True:
        number += 1
        end = beyond(text, here)
        row, reason = element(text[here:end])
        yield Line(file, number, row, reason, text[here:end].strip().encode("utf-8", "surrogatepass"))
        here = end
        if text[here : here + 1] != ",":
            break
        here += 1
    if reason and here == len(text):
        return
    if text[here : here + 1] != "]" or text[here + 1 :].strip():
        yield Line(file, number + 1, None, "not_json", text[here : here + FIRST].encode("utf-8", "surrogatepass"))


def element(text: str) -> tuple[Any, str]:
    """The value that a text is, or why there is none."""
    try:
        value = plain(text)
    except RecursionError:
        return None, "nested_too_deep"
    except ValueError:
        return None, "not_json"
    return (value, "") if isinstance(value, dict) else (None, "not_an_object")


def beyond(text: str, here: int) -> int:
    """Where a value that cannot be read ends: at the comma or bracket that belongs to what is around it."""
    depth = 0
    for mark in MARKS.finditer(text, here):
        sign = mark.group()
        if depth == 0 and sign in ",]}":
            return mark.start()
        depth += (sign in "[{") - (sign in "]}")
    return len(text)


def within(text: str, file: str, mapping: Mapping) -> Iterator[Line]:
    """The rows of the one array of objects in an object; the object itself where it is a row."""
    raw = text.encode("utf-8", "surrogatepass")
    whole, reason = element(text)
    if reason:
        yield Line(file, 1, None, reason, raw[:FIRST])
    elif at(whole, mapping.messages) is not None:
        yield Line(file, 1, whole, "", raw)
    else:
        arrays = [v for v in whole.values() if isinstance(v, list) and any(isinstance(row, dict) for row in v)]
        if len(arrays) != 1:
            yield Line(file, 1, None, "many_arrays" if arrays else "no_messages", raw[:FIRST])
            return
        for number, row in enumerate(arrays[0], 1):
            yield parsed_row(file, number, row)


def parsed_row(file: str, number: int, row: Any) -> Line:
    raw = json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Line(file, number, row, "", raw) if isinstance(row, dict) else Line(file, number, None, "not_an_object", raw)
