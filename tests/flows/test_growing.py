"""The recipes of the growing techniques in the real flow: from seeds, or from nothing, to a published version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from aiohttp import web

from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.conftest import PROJECT, Done
from tests.flows.teachers import good, teacher
from tests.rows import HAN, WORDS

Flywheel = Callable[..., Done]


def grows(body: dict[str, Any]) -> web.StreamResponse:
    """A teacher that invents tasks unlike any other, in the language in which it is asked, and answers them."""
    asked, schema = texts(body), asked_schema(body)
    dice = Random(hashlib.sha256("\n".join(asked).encode()).digest())
    chinese = any("一" <= c <= "鿿" for c in asked[0])

    def said(most: int = 9) -> str:
        drawn = dice.sample(HAN, most + 5) if chinese else dice.sample(WORDS, most)
        return ("" if chinese else " ").join(drawn)

    if schema == "instructions":
        return replied(json.dumps({"instructions": [said() for _ in range(8)]}), body)
    if schema == "tested":
        return replied(json.dumps({"classification": dice.random() < 0.5}), body)
    if schema == "outputfirst":
        return replied(json.dumps({"instances": [{"label": said(3), "input": said(12)} for _ in range(2)]}), body)
    if schema == "inputfirst":
        return replied(json.dumps({"instances": [{"input": "", "output": said(12)}]}), body)
    if schema == "items":
        made = [{"instruction": said(), "input": said(12), "output": said(5)} for _ in range(10)]
        return replied(json.dumps({"items": made}), body)
    if "###" in asked[0]:
        names = ("指令", "输入", "输出") if chinese else ("Instruction", "Input", "Output")
        return replied("\n###\n".join("\n".join(f"{n}. {p}: {said()}" for p in names) for n in range(1, 21)), body)
    if schema == "labelled" and "couplets/new_year" in asked[0]:
        return replied(json.dumps({"task_type": "couplets/new_year", "domain": "culture"}), body)
    return good(body)


def replied(text: str, body: dict[str, Any]) -> web.StreamResponse:
    return web.json_response(completion(text, "canned", "\n".join(texts(body))))


def published(path: str) -> list[dict[str, Any]]:
    return [row for file in sorted(Path(path).glob("data/chat/*.parquet")) for row in pq.read_table(file).to_pylist()]


@pytest.mark.parametrize(
    ("technique", "recipe", "languages"),
    [
        ("self_instruct", "self_instruct", {"en", "zh"}),
        ("self_instruct", "belle", {"zh"}),
        ("alpaca", "alpaca", {"en", "zh"}),
        ("chinese_llama_alpaca", "chinese_llama_alpaca", {"en", "zh"}),
    ],
)
def test_each_recipe_makes_a_dataset_with_nothing_but_a_teacher(
    technique: str, recipe: str, languages: set[str], flywheel: Flywheel, tmp_path: Path
) -> None:
    with teacher(grows) as at:
        few = [f"produce.{n}.{technique}.target=4" for n in range(len(languages))]
        told = [f"teacher.base_url={at.url}", "teacher.model=canned", "split.validation=0", "split.test=0", *few]
        sets = [argument for one in told for argument in ("--set", one)]
        file = str(PROJECT / "deployments" / "recipes" / f"{recipe}.yaml")
        done = flywheel("synthesize", "--recipe", file, *sets, "--out", "lake", "--json", OPENAI_API_KEY="k")
    assert done.code == 0, done.err
    assert done.json["made"]["published"] == done.json["rows_new"] == 4 * len(languages)
    assert done.json["ledger"] == {}
    rows = published(done.json["path"])
    assert {row["language"] for row in rows} == languages
    assert {row["teacher"] for row in rows} == {"canned"}
    assert {row["lineage"][0]["step"].split("/")[0] for row in rows} == {technique}
    carried = {file.parent.name for file in (Path(done.json["path"]) / "prompts").rglob("*.toml")}
    assert technique in carried, "a version holds the prompts that made it"
    assert flywheel("verify", "--name", recipe, "--out", "lake").code == 0


@pytest.mark.parametrize("technique", ["self_instruct", "alpaca"])
def test_a_plan_says_what_growing_comes_to_and_calls_nobody(technique: str, flywheel: Flywheel) -> None:
    file = str(PROJECT / "deployments" / "recipes" / f"{technique}.yaml")
    done = flywheel("synthesize", "--recipe", file, "--set", "teacher.model=gpt-5", "--plan", "--out", "lake", "--json")
    assert done.code == 0, done.err
    plan = done.json["plan"]
    assert plan["produce_calls"] >= 20
    assert plan["answer_calls"] == plan["judge_calls"] == 400


TAXONOMY = """
task_types:
  couplets:
    {en: Couplets, zh: 对联, subtypes: {new_year: {en: for the New Year, zh: 春联}, shop: {en: for a shop, zh: 店铺联}}}
domains: {general: {en: general, zh: 通用}, culture: {en: culture, zh: 文化}}
"""
COUPLETS = (
    ("写一副马年春联，上下联各七字，附横批", ""),
    ("我家开豆腐坊，请撰一副贴在店门口的春联", ""),
    ("给这个上联对下联，平仄要合", "一元复始山河美"),
    ("下面这副春联哪一边是上联？只答“左”或“右”", "左：千家万户迎新岁；右：五湖四海共春风"),
    ("厨房门窄，求一副四字春联，带点烟火气", ""),
    ("按“福寿安康”四个字做一副嵌字联，送给爷爷奶奶", ""),
)


def test_a_teams_own_type_grows_from_its_own_seeds(flywheel: Flywheel, tmp_path: Path) -> None:
    (tmp_path / "types.yaml").write_text(TAXONOMY, "utf-8")
    seeds = [{"task_type": "couplets", "prompt": p, "input": i, "response": "见下。"} for p, i in COUPLETS]
    lines = "\n".join(json.dumps(seed, ensure_ascii=False) for seed in seeds)
    (tmp_path / "couplets.zh.jsonl").write_text(lines, "utf-8")
    grown = {"language": "zh", "target": 3, "by_task_type": True}
    with teacher(grows) as at:
        told = {
            "teacher": {"model": "canned", "base_url": at.url},
            "output": {"name": "couplets", "dir": "lake"},
            "label": {"taxonomy": "types.yaml"},
            "produce": [{"self_instruct": grown | {"seeds": "couplets.{language}.jsonl", "taxonomy": "types.yaml"}}],
            "split": {"validation": 0, "test": 0},
        }
        (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(told, allow_unicode=True), "utf-8")
        done = flywheel("synthesize", "--recipe", "recipe.yaml", "--json", OPENAI_API_KEY="k")
        assert done.code == 0, done.err
        first = next(body for body in at.asked if asked_schema(body) == "instructions")
        assert "都属于同一类：对联。" in texts(first)[0]
        assert all(prompt in texts(first)[1] for prompt, _ in COUPLETS)
        rows = published(done.json["path"])
        assert {(row["task_type"], row["subtype"], row["language"]) for row in rows} == {("couplets", "new_year", "zh")}
        assert done.json["made"]["published"] == 3
        calls = len(at.asked)
        again = flywheel("synthesize", "--recipe", "recipe.yaml", "--json", OPENAI_API_KEY="k")
        assert (again.code, again.json["status"]) == (0, "nothing_new"), again.err
        assert len(at.asked) == calls, "nothing is paid for twice"
