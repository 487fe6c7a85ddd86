"""A small model that learns the teacher's labels, in the real flow: fewer calls, and the next run begins with more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import yaml
from aiohttp import web

from tasks.recipe import PROJECT
from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.conftest import Done
from tests.flows.teachers import good, teacher
from tests.rows import HAN, WORDS

Flywheel = Callable[..., Done]
ASKS = {
    "code/generation": ("Write a Python function that handles {}", "用 Python 写一个函数处理：{}"),
    "writing/verse": ("Compose a short poem about {} under the moon", "写一首七言诗，题为：{}"),
}


def reply(body: dict[str, Any]) -> web.StreamResponse:
    """Labels by what is asked for; all else as a good teacher does."""
    if asked_schema(body) != "labelled":
        return good(body)
    asked = texts(body)[-1]
    kind = "code/generation" if "Python" in asked else "writing/verse"
    return web.json_response(completion(json.dumps({"task_type": kind, "domain": "general"}), "canned", asked))


def logs(folder: Path, week: int, count: int) -> dict[str, Any]:
    """Prompts that differ, in both languages."""
    dice, lines = Random(week), list[str]()
    for i in range(count):
        ask = ASKS[dice.choice(list(ASKS))][i % 2]
        about = "".join(dice.sample(HAN, 24)) if i % 2 else " ".join(dice.sample(WORDS, 9))
        said = {"role": "user", "content": ask.format(about)}
        at = f"2026-03-{week:02d}T00:{i // 60:02d}:{i % 60:02d}Z"
        lines.append(json.dumps({"id": f"{week}-{i}", "user_id": f"u{i}", "created_at": at, "messages": [said]}))
    (folder / f"week{week}.jsonl").write_text("\n".join(lines), "utf-8")
    return {"uri": str(folder / f"week{week}.jsonl"), "name": f"week{week}"}


def recipe(folder: Path, url: str, source: dict[str, Any]) -> str:
    plain = yaml.safe_load((PROJECT / "deployments" / "recipes" / "small_model.yaml").read_text("utf-8"))
    plain["sources"] = [source]
    plain["teacher"] = {"model": "canned", "base_url": url, "price": {"input": 1e6, "output": 1e6}}
    plain["label"]["small_model"]["teacher_labels"] = 60
    plain["output"]["dir"] = str(folder / "lake")
    (folder / "recipe.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
    return str(folder / "recipe.yaml")


def stages(done: Done) -> dict[str, dict[str, Any]]:
    return {s["stage"]: s for s in done.json["stages"]}


def test_the_teacher_labels_some_and_the_small_model_the_rest_and_both_are_accounted_for(
    flywheel: Flywheel, tmp_path: Path
) -> None:
    with teacher(reply) as at:
        first = flywheel(
            "refresh", "--recipe", recipe(tmp_path, at.url, logs(tmp_path, 1, 160)), "--json", OPENAI_API_KEY="k"
        )
        assert first.code == 0, first.err
        told = stages(first)["small_model"]["noted"]
        assert 40 <= told["teacher_labels"] <= 90
        assert told["held_out_percent"] >= 90
        assert told["cents_saved"] > 0
        asked = sum(asked_schema(body) == "labelled" for body in at.asked)
        assert asked == told["teacher_labels"] + told.get("left_to_teacher", 0)
        assert told["labelled"] + asked == 160
        second = flywheel(
            "refresh", "--recipe", recipe(tmp_path, at.url, logs(tmp_path, 2, 80)), "--json", OPENAI_API_KEY="k"
        )
        assert second.code == 0, second.err
        again = sum(asked_schema(body) == "labelled" for body in at.asked) - asked
        assert stages(second)["small_model"]["noted"]["teacher_labels"] >= 40
        assert again < 40
        assert flywheel("verify", "--name", "small_model", "--out", str(tmp_path / "lake")).code == 0
