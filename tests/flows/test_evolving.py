"""The recipes of the evolving techniques in the real flow, from log lines to published rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.conftest import PROJECT, Done
from tests.flows.teachers import good, teacher
from tests.flows.test_producing import rows
from tests.rows import HAN, WORDS

Flywheel = Callable[..., Done]
ASKED = {
    "code": ("Write a Python function that merges two sorted lists.", "写一个函数，判断字符串是不是回文。"),
    "mathematics": ("Tom has 3 boxes with 12 pens each; how many pens?", "小明有三盒铅笔，每盒十二支，一共多少支？"),
}
SAID = {
    "gain": {"reason": "it asks for more", "is_request": True, "adds": True},
    "best": {"reason": "the clearer of the two", "best": 2},
}


def evolving(body: dict[str, Any]) -> web.StreamResponse:
    """A teacher that evolves, by words of its own for every prompt and operator, labels and judges."""
    system, last, schema = texts(body)[0], texts(body)[-1], asked_schema(body)
    chance = Random(f"{system}{last}{body.get('seed')}")
    if schema in SAID:
        return web.json_response(completion(json.dumps(SAID[schema]), "canned", last))
    if schema == "labelled":
        kind = "mathematics/word_problem" if any(q in last for q in ASKED["mathematics"]) else "code/generation"
        return web.json_response(completion(json.dumps({"task_type": kind, "domain": "general"}), "canned", last))
    if "{{" not in system and ("Reply with the" in system or "，就像用户自己发出来的那样" in system):
        text = "".join(chance.choices(HAN, k=40)) if "用户" in system else " ".join(chance.choices(WORDS, k=25))
        return web.json_response(completion(text, "canned", last))
    return good(body)


def logs(folder: Path) -> str:
    lines = [
        {"id": f"q{i}", "created_at": f"2026-03-0{i + 1}T00:00:00Z", "messages": [{"role": "user", "content": q}]}
        for i, q in enumerate(q for kind in ASKED.values() for q in kind)
    ]
    (folder / "logs.jsonl").write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines), "utf-8")
    return str(folder / "logs.jsonl")


@pytest.mark.parametrize(
    ("technique", "taken", "generations"), [("wizard_coder", "code", 3), ("wizard_math", "mathematics", 5)]
)
def test_a_recipe_evolves_its_own_task_type_and_publishes_every_survivor(
    technique: str, taken: str, generations: int, flywheel: Flywheel, tmp_path: Path
) -> None:
    where = ("--source", logs(tmp_path), "--out", str(tmp_path / "lake"))
    told = str(PROJECT / f"deployments/recipes/{technique}.yaml")
    with teacher(evolving) as at:
        to = ("--set", f"teacher.base_url={at.url}", "--set", "teacher.model=canned")
        done = flywheel("refresh", "--recipe", told, *where, *to, "--json", OPENAI_API_KEY="k")
        assert done.code == 0, done.err
        assert done.json["ledger"] == {"published": 4}
        assert done.json["made"] == {"published": 2 * generations}
        asked = len(at.asked)
        again = flywheel("refresh", "--recipe", told, *where, *to, "--json", OPENAI_API_KEY="k")
        assert (again.json["status"], len(at.asked)) == ("nothing_new", asked)
    published = rows(done.json["path"])
    made = [r for r in published if any(s["step"].startswith(f"{technique}/") for s in r["lineage"])]
    assert len(published) == 4 + len(made)
    assert {r["language"] for r in made} == {"en", "zh"}
    by_id = {r["prompt_id"]: r for r in published}
    for row in made:
        *_, last = (s for s in row["lineage"] if s["step"].startswith(f"{technique}/"))
        (parent,) = last["parents"]
        assert by_id[parent]["task_type"] == taken
    verified = flywheel("verify", "--name", technique, "--out", str(tmp_path / "lake"))
    assert verified.code == 0, verified.err


def test_several_models_evolve_in_a_recipe_and_those_that_lose_are_counted(flywheel: Flywheel, tmp_path: Path) -> None:
    plain = (PROJECT / "deployments/recipes/multi_model_evol.yaml").read_text("utf-8")
    (tmp_path / "all.yaml").write_text(plain.replace("share: 0.1", "share: 1.0"), "utf-8")
    where = ("--recipe", "all.yaml", "--source", logs(tmp_path), "--out", str(tmp_path / "lake"))
    with teacher(evolving) as at, teacher(lambda body: evolving({**body, "seed": 1})) as other:
        to = [
            f"{who}.{what}"
            for who, url in (("teacher", at.url), ("judge", other.url))
            for what in (f"base_url={url}", f"model={who}")
        ]
        done = flywheel("refresh", *where, *(x for one in to for x in ("--set", one)), "--json", OPENAI_API_KEY="k")
    assert done.code == 0, done.err
    assert done.json["made"] == {"dropped:surpassed": 16, "published": 16}
    models = {s["model"] for r in rows(done.json["path"]) for s in r["lineage"] if s["step"].startswith("evol_")}
    assert models == {"teacher", "judge"}
    assert flywheel("verify", "--name", "multi_model_evol", "--out", str(tmp_path / "lake")).code == 0


def test_a_model_that_the_recipe_does_not_have_is_one_sentence(flywheel: Flywheel, tmp_path: Path) -> None:
    plain = (PROJECT / "deployments/recipes/multi_model_evol.yaml").read_text("utf-8")
    (tmp_path / "all.yaml").write_text(plain.replace("[teacher, judge]", "[teacher, secnd]"), "utf-8")
    where = ("--recipe", "all.yaml", "--source", logs(tmp_path), "--out", str(tmp_path / "lake"))
    done = flywheel("refresh", *where, "--set", "teacher.model=canned", OPENAI_API_KEY="k")
    assert done.code == 2
    assert "evol_instruct asks secnd, and there is no such endpoint (tiers.secnd)" in done.err
    assert len(done.err.strip().splitlines()) == 1
