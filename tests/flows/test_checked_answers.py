"""Answers that code can check, in the real flow: solutions of questions with a reference, and programs with tests."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml
from aiohttp import web

from tasks.recipe import PROJECT
from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.conftest import Done
from tests.flows.teachers import good, teacher

Flywheel = Callable[..., Done]
MATHS = PROJECT / "data" / "datasets" / "maths.jsonl"
TEAM = '''
"""Questions of a file with their right answers."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar, Literal

from tasks.record import Kind, Message, Record, begun
from tasks.step import Outcome
from tasks.teacher.ask import Teacher


@dataclass(frozen=True, slots=True)
class Questions:
    """`file` has question, answer and language on each line."""

    file: str
    gives: ClassVar[Kind] = "prompts"
    target: ClassVar[None] = None
    shape: ClassVar[Literal["grow"]] = "grow"

    async def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]:
        for line in Path(self.file).read_text("utf-8").splitlines():
            row = json.loads(line)
            asked = (Message("user", row["question"]),)
            yield Outcome().making(begun("questions", asked, row["language"], reference=row["answer"]))
'''
QUESTIONS = [json.loads(line) for line in MATHS.read_text("utf-8").splitlines()]
WAYS = {
    "en": ("First of all, {}, and so it follows.", "Turn it round, begin at the end: {}!", "A guess: {} will do"),
    "zh": ("按题意列式计算，第一步得到 {}，由此得出结果。", "不妨倒过来想，从末尾出发：{}！", "猜一猜：{} 就行"),
}
CODE = (
    ("en", "Write a Python function triple(x) that gives three times x.\n\nassert triple(2) == 6", "x * 3"),
    ("zh", "用 Python 写一个函数 triple(x)，返回参数的三倍，并通过下面的断言。\n\nassert triple(2) == 6", "x + 3"),
)


def school(seen: Counter[str]) -> Callable[[dict[str, Any]], web.StreamResponse]:
    """A teacher that solves each question rightly in two ways, once wrongly, and the last question never."""

    def reply(body: dict[str, Any]) -> web.StreamResponse:
        asked = texts(body)[-1]
        row = next((q for q in QUESTIONS if q["question"] in asked), None)
        if row is None or asked_schema(body):
            return good(body)
        seen[asked] += 1
        name, zh = hashlib.sha256(asked.encode()).hexdigest()[:6], row["language"] == "zh"
        number, mark = int(name, 16) % 900 + 100, "答案：" if zh else "Answer: "
        steps = (f"{number} + 1 = {number + 1}", f"{number} + 2 = {number + 2}", f"{number} * 2 = {number * 2}")
        way = (seen[asked] - 1) % 3
        step = steps[way]
        wrong = step == steps[2] or row is QUESTIONS[-1]
        said = WAYS["zh" if zh else "en"][way].format(step)
        text = f"{said}\n{mark}{'-999' if wrong else row['answer']}"
        return web.json_response(completion(text, "canned", asked))

    return reply


def programmer(body: dict[str, Any]) -> web.StreamResponse:
    """A teacher of code, who is wrong in Chinese."""
    asked = texts(body)[-1]
    if asked_schema(body) == "labelled":
        said = json.dumps({"task_type": "code/generation", "domain": "general"})
    elif asked_schema(body):
        return good(body)
    else:
        language, _, body_of = next(c for c in CODE if c[1] in asked)
        intro = "可以这样写：" if language == "zh" else "This does it:"
        said = f"{intro}\n\n```python\ndef triple(x):\n    return {body_of}\n```"
    return web.json_response(completion(said, "canned", asked))


def recipe(folder: Path, url: str, named: str, **more: Any) -> str:
    """A recipe of the project with another teacher, another place, and other questions."""
    plain = yaml.safe_load((PROJECT / "deployments" / "recipes" / f"{named}.yaml").read_text("utf-8"))
    plain["teacher"] = {"model": "canned", "base_url": url}
    plain["output"]["dir"] = str(folder / "lake")
    plain |= {"split": {"validation": 0, "test": 0}} | more
    (folder / "recipe.yaml").write_text(yaml.safe_dump(plain, allow_unicode=True), encoding="utf-8")
    return str(folder / "recipe.yaml")


def rows(path: str) -> list[dict[str, Any]]:
    return [row for file in sorted(Path(path).glob("data/chat/*.parquet")) for row in pq.read_table(file).to_pylist()]


def test_right_ways_of_questions_with_a_reference_are_published_and_wrong_ones_stand_beside_them(
    flywheel: Flywheel, tmp_path: Path
) -> None:
    (tmp_path / "team.py").write_text(TEAM, encoding="utf-8")
    with teacher(school(Counter())) as at:
        produce = [{"team.py:Questions": {"file": str(MATHS)}}]
        chain = [{"rejection_sampling": {"k": 3}}]
        told = recipe(tmp_path, at.url, "rejection_sampling", sources=[], produce=produce, answer={"chain": chain})
        done = flywheel("synthesize", "--recipe", told, "--json", OPENAI_API_KEY="k")
        assert done.code == 0, done.err
        made = rows(done.json["path"])
        assert done.json["made"]["dropped:never_right"] == 1
        assert done.json["made"]["published"] == len(made) == 2 * 23
        by_question = Counter(r["messages"][0]["content"] for r in made)
        assert by_question.keys() == {q["question"] for q in QUESTIONS[:-1]}
        assert sum(bool(r["rejected_answers"]) for r in made) == 23
        assert {s["prompt"] != "" for r in made for s in r["lineage"] if s["step"] == "rejection_sampling/solve"} == {
            True
        }
        assert flywheel("verify", "--name", "rejection_sampling", "--out", str(tmp_path / "lake")).code == 0
        calls = len(at.asked)
        again = flywheel("synthesize", "--recipe", told, "--json", OPENAI_API_KEY="k")
        assert again.json["status"] == "nothing_new", again.err
        assert len(at.asked) == calls


def test_a_program_that_fails_the_test_of_its_question_is_not_published(flywheel: Flywheel, tmp_path: Path) -> None:
    lines = [
        {"id": f"q{i}", "created_at": f"2026-03-0{i + 1}T00:00:00Z", "messages": [{"role": "user", "content": asked}]}
        for i, (_, asked, _) in enumerate(CODE)
    ]
    (tmp_path / "logs.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
    with teacher(programmer) as at:
        told = recipe(tmp_path, at.url, "run_code", sources=[{"uri": str(tmp_path / "logs.jsonl")}])
        done = flywheel("refresh", "--recipe", told, "--json", OPENAI_API_KEY="k")
        assert done.code == 0, done.err
        assert done.json["ledger"] == {"dropped:failed_tests": 1, "published": 1}
        (kept,) = rows(done.json["path"])
        assert {s["name"]: s["value"] for s in kept["scores"]}["tests"] == 1.0
        assert flywheel("verify", "--name", "run_code", "--out", str(tmp_path / "lake")).code == 0
