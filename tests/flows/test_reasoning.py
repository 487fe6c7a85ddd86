"""The answering techniques run from their own recipes, and what they publish is whole and theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from aiohttp import web

from flows.producing import chain
from tasks.prompt import LANGUAGES, load, names
from tasks.recipe import RecipeError, checked, read
from tasks.teacher.protocol import asked_schema, completion, texts
from tests.answer.game24 import Player, right
from tests.flows.conftest import PROJECT, Done
from tests.flows.teachers import good, teacher

Flywheel = Callable[..., Done]
RECIPES = PROJECT / "deployments" / "recipes"
TECHNIQUES = ("chain_of_thought", "meta_reasoning", "multi_teacher", "rewrite_answer", "tree_of_thoughts")
PLAYER = Player(luck=0.4, sight=0.8)
TASK = json.dumps({"task_type": "mathematics/calculation", "domain": "education"})
PICKED = json.dumps({"reason": "clearer", "best": 1})


def teaching(body: dict[str, Any]) -> web.StreamResponse:
    """A teacher who knows every technique of this group; where it is asked for nothing of theirs, a good one."""
    last, schema = texts(body)[1 if asked_schema(body) else -1], asked_schema(body)
    player = "24" in last and schema in ("proposed", "valued", "")
    said: dict[str, Callable[[], str]] = {
        "labelled": lambda: TASK if "24" in last else "",
        "solved": lambda: json.dumps({"reasoning": "r", "answer": f"It comes to {len(last)}.", "final": "7"}),
        "picked": lambda: PICKED,
        "followed": lambda: json.dumps({"finding": "f", "question": "" if "title" in last else "river 青堰"}),
        "concluded": lambda: json.dumps({"reasoning": "r", "known": True, "answer": f"It is number {len(last)}."}),
    }
    text = PLAYER(body) if player else said.get(schema, str)()
    return web.json_response(completion(text, "canned", last)) if text else good(body)


def rows(path: str) -> list[dict[str, Any]]:
    return [row for file in sorted(Path(path).glob("data/chat/*.parquet")) for row in pq.read_table(file).to_pylist()]


def words() -> set[str]:
    """Every line of guidance that a teacher is sent."""
    sent = [n for n in names() if n.split("/")[0] in (*TECHNIQUES, "wrapper", "answer")]
    prompts = [load(name, language) for name in sent for language in LANGUAGES]
    return {line for p in prompts for t in p.turns for line in t.content.splitlines() if len(line) > 30}


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_a_technique_runs_alone_and_no_word_of_its_prompts_is_published(
    technique: str, flywheel: Flywheel, tmp_path: Path
) -> None:
    with teacher(teaching) as at:
        recipe = str(RECIPES / f"{technique}.yaml")
        few = ["--set", f"sources.0.uri={cut(technique, tmp_path)}"]
        told = ["--set", "teacher.model=canned", "--set", f"teacher.base_url={at.url}", "--out", str(tmp_path / "lake")]
        wrapped = ["--set", "answer.wrapper_for={'*canned*': wrapper/qwen3}"]
        done = flywheel("refresh", "--recipe", recipe, *told, *few, *wrapped, "--json", OPENAI_API_KEY="k")
        assert done.code == 0, done.err + done.out
        made = rows(done.json["path"])
        assert len(made) == done.json["rows_new"] > 3
        published = json.dumps([r | {"lineage": []} for r in made], ensure_ascii=False, default=str)
        assert not [line for line in words() if line in published]
        steps = {s["step"].split("/")[0] for r in made for s in r["lineage"]}
        assert technique in steps or technique == "chain_of_thought", steps
        looks_right(technique, made)
        assert flywheel("verify", "--name", technique, "--out", str(tmp_path / "lake")).code == 0


def cut(technique: str, folder: Path) -> Path:
    """The first lines of what the technique's recipe reads."""
    file = PROJECT / read(RECIPES / f"{technique}.yaml").sources[0].uri
    lines = file.read_text("utf-8").splitlines(keepends=True)[:12]
    (folder / file.name).write_text("".join(lines), "utf-8")
    return folder / file.name


def looks_right(technique: str, made: list[dict[str, Any]]) -> None:
    """What is particular to the rows of each technique."""
    match technique:
        case "tree_of_thoughts":
            puzzles = (PROJECT / "data/datasets/game24.jsonl").read_text("utf-8").splitlines()
            known = {one["prompt"]: one["numbers"] for one in map(json.loads, puzzles)}
            solved = [right(r["messages"][-1]["content"], known[r["messages"][0]["content"]]) for r in made]
            assert sum(solved) >= len(made) - 3
            assert all(json.loads(r["lineage"][-2]["detail"])["thoughts"] for r in made if len(r["lineage"]) > 1)
        case "multi_teacher":
            assert {r["language"] for r in made} == {"en", "zh"}
        case "rewrite_answer":
            assert any(r["rejected_answers"] for r in made)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"wrapper_for": {"*": "wrapper/qwen"}}, "no prompt at"),
        ({"wrapper_for": {"*": "judge/verdict"}}, "has a slot answer"),
    ],
)
def test_a_wrapper_that_is_not_there_is_told_before_any_call(answer: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said) as fault:
        chain(checked({"answer": answer}))
    assert fault.value.where
    assert fault.value.hint


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_every_recipe_of_these_can_be_read(technique: str) -> None:
    producing, answering = chain(read(RECIPES / f"{technique}.yaml"))
    assert not producing
    assert answering
