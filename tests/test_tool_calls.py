import json
from pathlib import Path
from typing import Any

import pytest

from tasks.record import ToolCall
from tasks.tool_calls import fault_of

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "default": "all"},
        "units": {"type": "array", "enum": ["°C", "°F"]},
        "place": {"type": "dict", "properties": {"lat": {"type": "float"}}},
    },
    "required": ["city"],
}


def fault(arguments: str, parameters: Any = WEATHER, name: str = "weather") -> str:
    tools = json.dumps([{"type": "function", "function": {"name": "weather", "parameters": parameters}}])
    return fault_of(ToolCall("1", name, arguments), tools)


@pytest.mark.parametrize(
    "arguments",
    [
        '{"city": "上海"}',
        '{"city": "Oslo", "days": 3, "units": ["°C"], "place": {"lat": 59.9}}',
        '{"city": "Oslo", "days": "all"}',
    ],
)
def test_a_call_that_fits_its_declaration_has_no_fault(arguments: str) -> None:
    assert fault(arguments) == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{}", "weather: $: 'city' is a required property"),
        ("", "weather: $: 'city' is a required property"),
        ('{"city": 7}', "weather: $.city: 7 is not of type 'string'"),
        ('{"city": "x", "days": "three"}', "weather: $.days: 'three' is not of type 'integer'"),
        ('{"city": "x", "units": ["K"]}', "weather: $.units[0]: 'K' is not one of ['°C', '°F']"),
        ('{"city": "x", "place": {"lat": "north"}}', "weather: $.place.lat: 'north' is not of type 'number'"),
        ('["上海"]', "weather: the arguments are no object"),
        ("city=上海", "weather: the arguments are not JSON"),
        ('{"a":' * 100_000, "weather: the arguments are not JSON"),
    ],
)
def test_a_call_that_does_not_fit_is_told_with_its_place(arguments: str, said: str) -> None:
    assert fault(arguments) == said


def test_a_tool_that_nobody_declared_is_no_tool() -> None:
    assert fault("{}", name="time") == "time is not declared"
    assert fault_of(ToolCall("1", "time", "{}"), "") == "time is not declared"
    assert fault_of(ToolCall("1", "time", "{}"), '[{"function": "time"}, 1]') == "time is not declared"


def deep(levels: int) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "dict"}
    for _ in range(levels):
        made = {"type": "dict", "properties": {"a": made}}
    return made


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        "none",
        [],
        {"type": "anything"},
        {"type": 7, "properties": 8},
        {"type": "object", "required": "city"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#"},
        {"type": "object", "properties": {"city": {"type": "string", "pattern": "(a+)+$"}}},
        {"type": "object", "patternProperties": {"(a+)+$": {"type": "integer"}}},
        {"type": "object", "properties": {"city": {"type": ["string", "NoneType"]}}},
        deep(200),
    ],
)
def test_a_declaration_that_is_no_schema_lets_every_call_pass(parameters: Any) -> None:
    assert fault(json.dumps({"city": "a" * 40 + "!"}), parameters) == ""


LIVE = (
    Path(__file__).resolve().parents[2] / "shared" / "data" / "tools"
)  # real requests with the calls that are accepted


def live(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (LIVE / name).read_text("utf-8").splitlines()]


def first(accepted: Any) -> Any:
    """Of the values that are accepted for an argument the first; "" among them says that it may be left out."""
    if isinstance(accepted, dict):
        listed = {name: values if isinstance(values, list) else [values] for name, values in accepted.items()}
        chosen = {name: [one for one in values if one != ""] for name, values in listed.items()}
        return {name: first(values[0]) for name, values in chosen.items() if values}
    return [first(one) for one in accepted] if isinstance(accepted, list) else accepted


@pytest.mark.skipif(not LIVE.is_dir(), reason=f"there is no {LIVE}")
@pytest.mark.parametrize(("kind", "calls", "odd"), [("simple", 258, 2), ("multiple", 1053, 26)])
def test_calls_that_a_benchmark_accepts_are_taken_but_for_those_that_break_their_own_declaration(
    kind: str, calls: int, odd: int
) -> None:
    declared = {one["id"]: json.dumps(one["function"]) for one in live(f"BFCL_v4_live_{kind}.json")}
    accepted = [
        fault_of(ToolCall("1", name, json.dumps(first(arguments))), declared[one["id"]])
        for one in live(f"possible_answer__BFCL_v4_live_{kind}.json")
        for each in one["ground_truth"]
        for name, arguments in each.items()
    ]
    faults = [fault for fault in accepted if fault]
    assert (len(accepted), len(faults)) == (calls, odd)
    assert all("is not of type" in f or "is not one of" in f or "is a required property" in f for f in faults)
