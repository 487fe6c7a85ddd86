import json
from typing import Any

import pytest

from tasks.tools import declared, sendable, types


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("dict", "object"),
        ("Dict[str, int]", "object"),
        ("tuple", "array"),
        ("float", "number"),
        ("String", "string"),
        ("object", "object"),
        (["str", "null"], ["string", "null"]),
        ("any", None),
        (["any", "null"], None),
        (7, None),
    ],
)
def test_a_type_of_a_language_is_the_type_of_json_that_it_stands_for(given: Any, meant: Any) -> None:
    assert types(given) == meant


def test_a_schema_is_mended_in_its_depth_and_a_field_called_type_stays_a_field() -> None:
    inner = {"type": {"type": "str", "enum": ["dict"]}, "any": {"type": "any", "description": "灯"}}
    items = {"type": "list", "items": {"type": "dict", "properties": inner}, "default": {"type": "dict"}}
    tools = json.dumps([{"name": "f", "parameters": {"type": "dict", "properties": {"a": items}}}])
    (sent,) = sendable(tools)
    array = sent["function"]["parameters"]["properties"]["a"]
    assert (array["type"], array["items"]["type"], array["default"]) == ("array", "object", {"type": "dict"})
    properties = array["items"]["properties"]
    assert properties == {"type": {"type": "string", "enum": ["dict"]}, "any": {"description": "灯"}}


def test_what_is_sound_is_sent_as_it_was_declared() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "required": ["a"],
    }
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}]
    assert sendable(json.dumps(tools)) == declared(json.dumps(tools)) == tools
