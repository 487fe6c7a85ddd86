"""Specialist data in the real flow: one dataset of all kinds, from the recipe that comes with the project."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from aiohttp import web

from flows.producing import chain, fits, starts
from tasks.recipe import read
from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.conftest import PROJECT, Done
from tests.flows.teachers import teacher

Flywheel = Callable[..., Done]
RECIPES = ("rag", "rag_router", "tool_use", "long_context", "multi_turn", "specialist")
NUMBER = re.compile(r"(?<![\d.,:])\d{2,4}(?![\d.,:])")


def value(schema: dict[str, Any]) -> Any:
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
    return "harbour"


class Specialist:
    """A teacher that plays every part of these techniques; what it says of one question it remembers."""

    def __init__(self) -> None:
        self.facts: dict[str, tuple[str, str]] = {}
        self.schemas = Counter[str]()

    def __call__(self, body: dict[str, Any]) -> web.StreamResponse:
        schema, said = asked_schema(body), texts(body)
        self.schemas[schema] += 1
        name = hashlib.sha256("\n".join(said).encode("utf-8", "replace")).hexdigest()[:12]
        zh = any("一" <= c <= "鿿" for c in said[0])
        if "tools" in body and body["messages"][-1]["role"] == "user":
            function = body["tools"][0]["function"]
            call = {"id": "x", "type": "function", "function": {"name": function["name"]}}
            call["function"] |= {"arguments": json.dumps(value(function["parameters"]))}
            return web.json_response(completion("", "canned", said[-1], calls=[call]))
        text = self.text(schema, said, name, zh)
        return web.json_response(completion(text, "canned", said[-1]))

    def text(self, schema: str, said: list[str], name: str, zh: bool) -> str:
        last = said[-1]
        plain = "，编号".join(("查到的结果如下", f"{name}。")) if zh else f"The result stands under the number {name}."
        returns = next((line for line in last.splitlines() if line.startswith('{"type": "object"')), "")
        if not schema:
            return json.dumps(value(json.loads(returns)), ensure_ascii=False) if returns else plain
        match schema:
            case "labelled":
                made: Any = {"task_type": "question_answering/fact", "domain": "general"}
            case "verdict":
                made = {"reason": "right", "harmless": True, "score": 5}
            case "facts":
                made = {"facts": self.found(last, name, zh)}
            case "told":
                made = self.told(last, plain)
            case "messages":
                kind = "KNOW" if "ask for knowledge" in last or "要知识的" in last else "CHAT"
                told = [hashlib.sha256(f"{name}{n}".encode()).hexdigest() for n in range(5)]
                made = {"messages": [f"{kind} {one} {'？' if zh else '?'}" for one in told]}
            case "sorted":
                made = {"knowledge": ["KNOW" in last] * 5}
            case "request":
                made = {"request": f"请办一下{name}这件事。" if zh else f"Please see to {name} for me."}
            case "terms":
                words = re.findall(r"[一-鿿]{2}" if zh else r"\b[a-z]{5,}\b", last.split("\n", 1)[-1])
                made = {"terms": [word for word, often in Counter(words).most_common(12) if often > 1]}
            case "followup":
                answer = re.split(r"<assistant \w+>\n", last)[-1].split("。" if zh else " ")[0]
                made = {"turn": f"{name}: “{answer}”?", "words": answer}
            case "summary":
                made = {"summary": plain}
            case "leaning":
                made = {"reason": "", "leans": "”?" in last}
            case _:
                made = {"reason": "", "bears": False}
        return json.dumps(made, ensure_ascii=False)

    def found(self, last: str, name: str, zh: bool) -> list[dict[str, str]]:
        numbers = list(dict.fromkeys(NUMBER.findall(last.split("\n", 1)[1])))[:3]
        made = []
        for n, number in enumerate(numbers):
            question = (
                f"第{n}项登记的数是多少（{name[:9]}）？" if zh else f"Which figure stands at entry {n} of {name[:9]}?"
            )
            other = str(int(number) + 7777)
            self.facts[question] = (number, other)
            made.append({"question": question, "answer": number, "other": other})
        return made

    def told(self, last: str, plain: str) -> dict[str, Any]:
        given, (answer, other) = last, next(f for q, f in self.facts.items() if q in last)
        there = [word for word in (answer, other) if re.search(rf"(?<!\d){word}(?!\d)", given)]
        return {"told": bool(there), "answer": f"{plain} {' / '.join(there)}"}


def rows(path: str) -> list[dict[str, Any]]:
    return [row for file in sorted(Path(path).glob("data/chat/*.parquet")) for row in pq.read_table(file).to_pylist()]


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_is_a_chain_that_starts_by_itself(name: str) -> None:
    recipe = read(PROJECT / f"deployments/recipes/{name}.yaml")
    producing, answering = chain(recipe)
    fits(producing, answering, logs=False)
    assert starts(producing)
    assert recipe.output.name == name


def test_specialist_data_of_all_kinds_is_one_dataset_and_needs_no_labels(flywheel: Flywheel, tmp_path: Path) -> None:
    playing = Specialist()
    with teacher(playing) as at:
        changes = {
            "teacher.model": "canned",
            "teacher.base_url": at.url,
            "produce.4.rag_router.target": 20,
            "produce.5.tool_use.target": 20,
            "produce.6.multi_turn.target": 20,
            "produce.6.multi_turn.system_effective": 0,
        }
        told = [part for key, is_ in changes.items() for part in ("--set", f"{key}={is_}")]
        done = flywheel("specialist", "--out", str(tmp_path / "lake"), "--json", *told, OPENAI_API_KEY="k")
        assert done.code == 0, done.err
    made = rows(done.json["path"])
    kinds = Counter(tag for row in made for tag in row["tags"] if tag in KINDS)
    assert set(kinds) == KINDS, (kinds, done.json["made"])
    assert {row["language"] for row in made} == {"en", "zh"}
    assert playing.schemas["labelled"] == 0
    assert done.json["ledger"] == {}
    assert done.json["made"]["published"] == len(made)
    by_tools = [row for row in made if "tools" in row["tags"]]
    assert all([m["role"] for m in row["messages"]][-3:] == ["assistant", "tool", "assistant"] for row in by_tools)
    verified = flywheel("verify", "--name", "specialist", "--out", str(tmp_path / "lake"))
    assert verified.code == 0, verified.err


KINDS = {"rag", "tools", "long", "multi_turn"} | {"router:knowledge", "router:chat"}
