"""A small model that learns a task type from the teacher and answers its rest, in the real flow, with a stand-in for
the training: fewer answers of the teacher, all of them in the form, and nothing done twice."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from aiohttp import web

from flows.embedded import free_port
from tasks.recipe import PROJECT
from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.conftest import Done
from tests.flows.teachers import good, teacher
from tests.rows import HAN, WORDS

Flywheel = Callable[..., Done]
MEMORISER = str(PROJECT / "tests" / "flows" / "memoriser.py")
KEYS = {"OPENAI_API_KEY": "k", "SMALL_MODEL_KEY": "k"}
INTENTS = {
    "refund": ("I want my money back for the {}", "请把{}的钱退给我"),
    "delivery": ("Where is my parcel with the {}", "装着{}的包裹到哪了"),
}
ASKS = (
    "Classify what this customer wants as JSON with the key label, refund or delivery: {}",
    "判断这位顾客的意图，用 JSON 回答，键为 label，值为 refund 或 delivery：{}",
)


def reply(body: dict[str, Any]) -> web.StreamResponse:
    """The right label, as JSON two times in three, and in a sentence else."""
    asked = texts(body)[-1]
    if asked_schema(body) == "labelled":
        said = json.dumps({"task_type": "classification/intent", "domain": "general"})
        return web.json_response(completion(said, "canned", asked))
    if asked_schema(body):
        return good(body)
    label = "refund" if "money back" in asked or "退给我" in asked else "delivery"
    chatty = hashlib.sha256(asked.encode()).digest()[0] % 3 == 0
    text = f"The customer wants this: {label}." if chatty else json.dumps({"label": label})
    return web.json_response(completion(text, "canned", asked))


def logs(folder: Path, week: int, count: int) -> dict[str, Any]:
    dice, lines = Random(week), list[str]()
    for i in range(count):
        intent = INTENTS[dice.choice(list(INTENTS))][i % 2]
        about = "".join(dice.sample(HAN, 24)) if i % 2 else " ".join(dice.sample(WORDS, 9))
        said = {"role": "user", "content": ASKS[i % 2].format(intent.format(about))}
        at = f"2026-03-{week:02d}T00:{i // 60:02d}:{i % 60:02d}Z"
        lines.append(json.dumps({"id": f"{week}-{i}", "user_id": f"u{i}", "created_at": at, "messages": [said]}))
    (folder / f"week{week}.jsonl").write_text("\n".join(lines), "utf-8")
    return {"uri": str(folder / f"week{week}.jsonl"), "name": f"week{week}"}


def recipe(folder: Path, url: str, source: dict[str, Any], **changes: Any) -> str:
    """The project's recipe with the stand-in, sixty rows to learn from, and these changes to the small model."""
    plain = yaml.safe_load((PROJECT / "deployments" / "recipes" / "small_model_answers.yaml").read_text("utf-8"))
    plain["sources"] = [source]
    plain["teacher"] = {"model": "canned", "base_url": url, "price": {"input": 1e4, "output": 1e4}}
    small = plain["answer"]["small_model"]
    small |= {"rows": 60, "train": [sys.executable, MEMORISER, "train", "{train}", "{model}"]}
    small["form"] = {"json_keys": {"label": ["refund", "delivery"]}}
    for model, saying in ((small, ()), (small["before"], ("I am not trained.",))):
        port = str(free_port())
        model["serve"] = [sys.executable, MEMORISER, "serve", "{model}", port, *saying]
        model["at"]["base_url"] = f"http://127.0.0.1:{port}/v1"
    small |= changes
    plain["gates"] = {"suite": str(PROJECT / "data" / "gates" / "default.yaml")}
    plain["dedup"] |= {"max_answer_rows": 1000, "threshold": 0.95, "close": 1}
    plain["split"] = {"validation": 0, "test": 0}
    plain["output"]["dir"] = str(folder / "lake")
    (folder / "recipe.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
    return str(folder / "recipe.yaml")


def noted(done: Done) -> dict[str, int]:
    return next(s["noted"] for s in done.json["stages"] if s["stage"] == "small_model_answers")


def answered(asked: list[dict[str, Any]]) -> int:
    return sum(not asked_schema(body) for body in asked)


def trainings(folder: Path) -> list[str]:
    file = folder / "lake" / "small_model_answers" / "small_models" / "trainings"
    return file.read_text().split() if file.is_file() else []


def test_the_teacher_answers_some_and_the_small_model_that_learnt_them_the_rest(
    flywheel: Flywheel, tmp_path: Path
) -> None:
    with teacher(reply) as at:
        first = flywheel("refresh", "--recipe", recipe(tmp_path, at.url, logs(tmp_path, 1, 160)), "--json", **KEYS)
        assert first.code == 0, first.err
        told, asked = noted(first), answered(at.asked)
        assert round(100 * (told["taught"] + told["held_out"]) / 60) == told["teacher_follows_percent"]
        assert (told["untrained_follows_percent"], told["follows_percent"]) == (0, 100)
        assert told["agrees_percent"] >= 80
        assert told["by_small_model"] + asked == 160
        assert asked == 60 + told.get("misformed", 0)
        assert told["cents_saved"] > 0
        rows = pq.read_table(Path(first.json["path"]) / "data" / "chat").to_pylist()
        assert Counter(r["teacher"] for r in rows)["tiny"] == told["by_small_model"]
        (own, *_) = [r for r in rows if r["teacher"] == "tiny"]
        assert ("small_model_answers", "tiny") in [(s["step"], s["model"]) for s in own["lineage"]]
        assert json.loads(own["messages"][-1]["content"])["label"] in INTENTS

        second = flywheel("refresh", "--recipe", recipe(tmp_path, at.url, logs(tmp_path, 2, 60)), "--json", **KEYS)
        assert second.code == 0, second.err
        assert noted(second)["by_small_model"] + answered(at.asked) - asked == 60
        assert flywheel("verify", "--name", "small_model_answers", "--out", str(tmp_path / "lake")).code == 0


def strict(body: dict[str, Any]) -> web.StreamResponse:
    """As above, with a judge who lets no answer about a parcel pass."""
    asked = texts(body)[-1]
    if asked_schema(body) == "verdict" and ("parcel" in asked or "包裹" in asked):
        said = json.dumps({"reason": "the parcel is not delivered", "harmless": True, "score": 2})
        return web.json_response(completion(said, "canned", asked))
    return reply(body)


def test_it_learns_from_no_answer_that_would_not_be_published_and_none_is_judged_twice(
    flywheel: Flywheel, tmp_path: Path
) -> None:
    with teacher(strict) as at:
        there = recipe(tmp_path, at.url, logs(tmp_path, 1, 240), rows=120)
        done = flywheel("refresh", "--recipe", there, "--json", **KEYS)
        assert done.code == 0, done.err
        judged = [texts(body)[-1] for body in at.asked if asked_schema(body) == "verdict"]
        assert len(judged) == len(set(judged))
    folder = tmp_path / "lake" / "small_model_answers" / "small_models"
    learnt = [line for file in folder.glob("*/*.jsonl") for line in file.read_text("utf-8").splitlines()]
    assert len(learnt) == noted(done)["taught"] + noted(done)["held_out"] > 0
    assert {json.loads(json.loads(line)["messages"][-1]["content"])["label"] for line in learnt} == {"refund"}


def test_a_training_that_fails_says_so_and_what_it_cost_is_not_paid_again(flywheel: Flywheel, tmp_path: Path) -> None:
    with teacher(reply) as at:
        source = logs(tmp_path, 1, 100)
        fails = [sys.executable, "-c", "print('step 1', flush=True); raise SystemExit('out of memory')"]
        done = flywheel("refresh", "--recipe", recipe(tmp_path, at.url, source, train=fails), "--json", **KEYS)
        assert done.code == 2
        assert done.json["error"]["where"] == "answer.small_model.train"
        assert "ended with 1" in done.json["error"]["what"]
        assert "step 1 / out of memory" in done.json["error"]["hint"]
        assert answered(at.asked) == 60
        mended = flywheel("refresh", "--recipe", recipe(tmp_path, at.url, source), "--json", **KEYS)
        assert mended.code == 0, mended.err
        assert answered(at.asked) == 60 + noted(mended).get("misformed", 0)
        assert len(trainings(tmp_path)) == 1


@pytest.mark.parametrize(
    ("saying", "follows", "agrees"), [("Well, it depends.", 0, 0), ('{"label": "refund"}', 100, 70)]
)
def test_a_model_that_misses_the_form_or_knows_no_better_than_chance_answers_nothing(
    saying: str, follows: int, agrees: int, flywheel: Flywheel, tmp_path: Path
) -> None:
    with teacher(reply) as at:
        port = str(free_port())
        babbles = {"serve": [sys.executable, MEMORISER, "serve", "{model}", port, saying], "before": None}
        babbles["at"] = {"model": "tiny", "base_url": f"http://127.0.0.1:{port}/v1", "api_key_env": "SMALL_MODEL_KEY"}
        there = recipe(tmp_path, at.url, logs(tmp_path, 1, 100), **babbles)
        done = flywheel("refresh", "--recipe", there, "--json", **KEYS)
        assert done.code == 0, done.err
        assert noted(done)["follows_percent"] == follows
        assert noted(done)["agrees_percent"] <= agrees
        assert "by_small_model" not in noted(done)
        assert answered(at.asked) == 100
        assert "that is too little, and the teacher goes on" in done.err
