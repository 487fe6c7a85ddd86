import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tasks.gate.rows.row import row_of
from tasks.gate.rows.tool_calls import bad_tool_call
from tasks.produce.tool_use import ToolUse, unfenced
from tasks.produce.toolbox import Tool, read_tools
from tasks.prompt import load
from tasks.recipe import RecipeError
from tests.produce.played import Body, Run, asked_schema, call, last, made

CASES = ("needed", "parallel", "not_needed", "failing", "missing")
SAID = {"en": "Request {n}: which way, please? {{{{tools}}}} </user>", "zh": "请求{n}：麻烦看一下。{{{{tools}}}}"}
LANGUAGES = ("en", "zh")


def only(case: str, **more: Any) -> ToolUse:
    """A step that makes this case alone."""
    return ToolUse(**{"target": 2, "at_once": 2, **dict.fromkeys(CASES, 0.0), case: 1.0, **more})


def value(schema: dict[str, Any]) -> Any:
    """Something that fits a schema."""
    match schema:
        case {"enum": [first, *_]}:
            return first
        case {"type": "object", "properties": properties}:
            return {name: value(one) for name, one in properties.items()}
        case {"type": "array"}:
            return [value(schema.get("items", {}))]
        case {"type": "integer" | "number"}:
            return schema.get("minimum", 2)
        case {"type": "boolean"}:
            return True
    return "某物"


class World:
    """A teacher that plays user, assistant and tools; `turns` are what the assistant does, one after the other."""

    def __init__(self, *turns: Any, result: str = "") -> None:
        self.turns, self.canned, self.requests = turns, result, 0

    def __call__(self, body: Body) -> Any:
        if asked_schema(body) == "request":
            self.requests += 1
            language = "zh" if "声明的工具" in last(body) else "en"
            return json.dumps({"request": SAID[language].format(n=self.requests)}, ensure_ascii=False)
        if "tools" in body:
            step = sum(m["role"] == "assistant" for m in body["messages"])
            turn = self.turns[min(step, len(self.turns) - 1)]
            return turn(body) if callable(turn) else turn
        return self.canned or self.result(body)

    def result(self, body: Body) -> str:
        lines = last(body).splitlines()
        returns = lines[next(n for n, line in enumerate(lines) if line.startswith('{"type": "object"'))]
        return f"```json\n{json.dumps(value(json.loads(returns)), ensure_ascii=False, indent=1)}\n```"


def calling(*which: int) -> Any:
    """A turn that calls the tools with these numbers, with arguments that fit."""

    def turn(body: Body) -> list[dict[str, Any]]:
        functions = [body["tools"][n]["function"] for n in which]
        return [call(f["name"], **value(f["parameters"])) for f in functions]

    return turn


async def play(case: str, language: str, folder: Path, *turns: Any, **more: Any) -> Run:
    result = more.pop("result", "")
    return await made(only(case, languages=(language,), **more), [], World(*turns, result=result), folder)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_call_its_result_and_the_answer_make_a_row_that_the_row_gate_takes(
    language: str, tmp_path: Path
) -> None:
    run = await play("needed", language, tmp_path, calling(0), "In a sentence. 如此。")
    assert len(run.rows) == 2
    for row in run.rows:
        assert [(m.role, m.trained) for m in row.messages] == [
            ("user", False),
            ("assistant", True),
            ("tool", False),
            ("assistant", True),
        ]
        asked, result = row.messages[1].tool_calls[0], row.messages[2]
        assert (result.tool_call_id, result.name) == (asked.id, asked.name) == ("call_0", asked.name)
        assert len(json.loads(row.tools)) == 4
        assert "{{tools}}" in row.messages[0].content
        assert (row.task_type, row.subtype, row.domain, row.language) == (
            "tool_use",
            "function_call",
            "general",
            language,
        )
        assert (row.tags, row.teacher, row.licence) == (("tools", "tools:needed"), "m-1", "mit")
        assert row.lineage[0].prompt == load("tool_use/request", language).sha256
        assert bad_tool_call(row_of(row.row())) == ""
    assert "returns" not in json.dumps([b.get("tools") for b in run.asked])
    sent = next(b for b in run.asked if "tools" in b)["messages"][0]["content"]
    assert sent not in json.dumps([r.row() for r in run.rows], default=str)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_calls_of_one_turn_are_each_answered_under_their_own_id(language: str, tmp_path: Path) -> None:
    run = await play("parallel", language, tmp_path, calling(0, 1), "Both. 都好了。")
    turns = run.rows[0].messages
    assert [c.id for c in turns[1].tool_calls] == ["call_0", "call_1"] == [m.tool_call_id for m in turns[2:4]]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_first_call_that_fails_is_told_or_tried_again(language: str, tmp_path: Path) -> None:
    told = await play("failing", language, tmp_path / "told", calling(0), "It failed. 没查到。")
    again = await play("failing", language, tmp_path / "again", calling(0), calling(0), "Now it worked. 查到了。")
    errors = load("tool_use/result", language).words["errors"]
    assert all(json.loads(r.messages[2].content)["error"] in errors for r in (*told.rows, *again.rows))
    assert {r.subtype for r in told.rows} == {"function_call"}
    assert {r.subtype for r in again.rows} == {"agent"}
    assert [m.tool_call_id for m in again.rows[0].messages if m.role == "tool"] == ["call_0", "call_1"]
    assert "error" not in again.rows[0].messages[4].content


@pytest.mark.parametrize(
    ("case", "said"), [("not_needed", "Bread. 面包。"), ("missing", "Which day?"), ("missing", "哪天？")]
)
async def test_where_no_call_can_be_made_the_answer_follows_at_once(case: str, said: str, tmp_path: Path) -> None:
    run = await play(case, "zh", tmp_path, said)
    assert [[m.role for m in r.messages] for r in run.rows] == [["user", "assistant"]] * 2
    assert run.rows[0].tags == ("tools", f"tools:{case}")


ODD = [call("launch", to="moon")]
BAD = lambda body: [call(body["tools"][0]["function"]["name"], nonsense=1)]  # noqa: E731


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("case", "turns", "reason"),
    [
        ("needed", ("I know it by heart.",), "no_call"),
        ("failing", ("算了。",), "no_call"),
        ("parallel", (calling(0), "done"), "not_parallel"),
        ("parallel", ("done",), "no_call"),
        ("parallel", (calling(0, 0), "done"), "repeated_call"),
        ("not_needed", (calling(0), "done"), "needless_call"),
        ("missing", (calling(0), "done"), "needless_call"),
        ("missing", ("I took tomorrow.",), "nothing_asked_back"),
        ("needed", (ODD, "done"), "invalid_arguments"),
        ("needed", (BAD, "done"), "invalid_arguments"),
        ("needed", (calling(0), BAD, "done"), "invalid_arguments"),
        ("needed", (calling(0),), "unfinished"),
    ],
)
async def test_a_turn_that_the_case_does_not_want_ends_the_conversation_with_its_reason(
    case: str, turns: tuple[Any, ...], reason: str, language: str, tmp_path: Path
) -> None:
    run = await play(case, language, tmp_path, *turns, patience=1)
    assert run.reasons == {reason: 2}
    assert all(detail for _, detail in run.gone)
    assert not run.rows
    assert "short" in run.tally.stopped


@pytest.mark.parametrize("result", ["no json", "[]", '{"error": 7}', '{"a": {{tools}}}'])
async def test_a_result_that_does_not_fit_what_the_tool_gives_back_is_none(result: str, tmp_path: Path) -> None:
    run = await play("needed", "en", tmp_path, calling(0), "done", result=result, patience=1)
    assert run.reasons == {"invalid_result": 2}


async def test_a_request_that_cannot_be_read_is_noted_and_no_record(tmp_path: Path) -> None:
    run = await made(only("needed", patience=2), [], lambda body: '{"request": " "}', tmp_path)
    assert (run.tally.noted, run.tally.made) == ({"unreadable_reply": 4}, 0)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_system_turn_names_the_tools_where_the_recipe_wants_it(language: str, tmp_path: Path) -> None:
    run = await play("needed", language, tmp_path, calling(0), "done", as_text=1.0)
    system, row = run.rows[0].messages[0], run.rows[0]
    assert system.role == "system"
    assert all(tool["function"]["name"] in system.content for tool in json.loads(row.tools))
    assert row.ask[1].role == "user"


async def test_the_shares_of_the_recipe_decide_which_cases_are_made_and_the_seed_which_comes_when(
    tmp_path: Path,
) -> None:
    step = ToolUse(target=40, needed=0.5, not_needed=0.5, parallel=0, failing=0, missing=0)
    runs = [await made(step, [], World("None needed."), tmp_path / str(n)) for n in (1, 2)]
    cases = Counter(r.tags[1] for r in runs[0].rows)
    assert set(cases) == {"tools:not_needed"}
    assert runs[0].reasons.keys() == {"no_call"}
    assert [r.row() for r in runs[0].out] == [r.row() for r in runs[1].out]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tools_that_come_with_the_project_are_whole_and_many(language: str) -> None:
    tools = read_tools(f"data/tools/{language}.jsonl")
    assert len({tool.name for tool in tools}) == len(tools) >= 20
    for tool in tools:
        assert tool.misfit(json.dumps(value(tool.returns))) == ""
        assert set(tool.parameters["required"]) <= tool.parameters["properties"].keys()
        assert ("一" <= tool.description[0] <= "鿿") == (language == "zh")


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"name": "a"}'])
def test_a_file_of_tools_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "tools.jsonl").write_text(text)
    with pytest.raises(RecipeError, match="is not a file of tools"):
        read_tools(str(tmp_path / "tools.jsonl"))
    with pytest.raises(RecipeError, match="is not a file of tools"):
        read_tools(str(tmp_path / "none.jsonl"))


def test_a_result_is_one_line_of_json_whatever_stood_around_it() -> None:
    assert unfenced('```json\n{"a": "甲",\n "b": [1]}\n```') == '{"a": "甲", "b": [1]}'
    assert unfenced(" none ") == "none"
    assert Tool("t", "", {}, {"type": "object", "required": ["a"]}).misfit("{}")
