"""Chains of techniques in the real flow: what is made is labelled, answered, published and accounted for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from tests.flows.conftest import Done
from tests.flows.teachers import good, teacher

Flywheel = Callable[..., Done]
TEAM = '''
"""A team's own techniques: one for each way in which a technique can work."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Literal

from tasks.record import Kind, Message, Record, begun
from tasks.step import USED, Outcome
from tasks.teacher.ask import Teacher

SAID = ("The tides of the northern sea and who wrote of them first", "春节贴春联的来历和门神的传说是怎样的")


@dataclass(frozen=True, slots=True)
class Twice:
    """Each prompt and, beside it, one about the same thing in a garden."""

    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "prompts"
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        made = record.derived("twice", record.asking(f"In a garden full of quiet herons, {record.instruction[::-1]}"))
        short = record.derived("twice", record.asking("?"))
        return Outcome.keeping(record).making(made).eliminating(short, "too_short")


@dataclass(frozen=True, slots=True)
class Begin:
    """Starts with nothing."""

    target: int = 2
    gives: ClassVar[Kind] = "prompts"
    shape: ClassVar[Literal["grow"]] = "grow"

    async def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]:
        for text in SAID:
            language = "zh" if "春" in text else "en"
            yield Outcome().making(begun("begin", (Message("user", text),), language)).noting("read")


@dataclass(frozen=True, slots=True)
class Pages:
    """Brings in text that others wrote."""

    gives: ClassVar[Kind] = "passages"
    brings: ClassVar[bool] = True
    target: ClassVar[None] = None
    shape: ClassVar[Literal["grow"]] = "grow"

    async def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]:
        yield Outcome().making(begun("Pages", (), "en", passage="Write to jane.doe@example.com about the lighthouse."))


@dataclass(frozen=True, slots=True)
class Ask:
    """A row of each passage."""

    takes: ClassVar[Kind] = "passages"
    gives: ClassVar[Kind] = "rows"
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        asked = record.derived("ask", (Message("user", f"What does this say: {record.passage}"),), teacher="nobody")
        return Outcome().dropping(USED).making(asked.answering("It says whom to write to about the lighthouse."))
'''


@pytest.fixture
def team(tmp_path: Path) -> Path:
    (tmp_path / "team.py").write_text(TEAM, encoding="utf-8")
    return tmp_path


def recipe(folder: Path, url: str, **more: Any) -> str:
    plain = {
        "teacher": {"model": "canned", "base_url": url},
        "output": {"name": "made", "dir": str(folder / "lake")},
        "split": {"validation": 0, "test": 0},
        **more,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(plain, allow_unicode=True), encoding="utf-8")
    return str(folder / "recipe.yaml")


def rows(path: str) -> list[dict[str, Any]]:
    return [row for file in sorted(Path(path).glob("data/chat/*.parquet")) for row in pq.read_table(file).to_pylist()]


def logs(folder: Path, *questions: str) -> dict[str, Any]:
    lines = [
        {"id": f"q{i}", "created_at": f"2026-03-0{i + 1}T00:00:00Z", "messages": [{"role": "user", "content": q}]}
        for i, q in enumerate(questions)
    ]
    (folder / "logs.jsonl").write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines), "utf-8")
    return {"uri": str(folder / "logs.jsonl")}


ASKED = (
    "Why do lighthouse keepers paint their towers in stripes of two colours?",
    "请解释为什么海水是咸的而湖水是淡的？",
)


def test_what_techniques_make_of_logs_is_published_beside_them_and_accounted_for_apart(
    flywheel: Flywheel, team: Path
) -> None:
    with teacher(good) as at:
        chain = ["team.py:Begin", {"team.py:Twice": {"only": {"after": ["logs"], "languages": ["en"]}}}]
        told = recipe(team, at.url, sources=[logs(team, *ASKED)], produce=chain)
        done = flywheel("refresh", "--recipe", told, "--json", OPENAI_API_KEY="k")
        assert done.code == 0, done.err
        assert done.json["ledger"] == {"published": 2}
        assert done.json["made"] == {"dropped:too_short": 1, "published": 3}
        made = rows(done.json["path"])
        assert len(made) == done.json["rows_new"] == 5
        (twice,) = (r for r in made if any(s["step"] == "twice" for s in r["lineage"]))
        parent = next(r for r in made if r["messages"][0]["content"] == ASKED[0])
        assert twice["derived_from"] == parent["roots"]
        assert twice["split"] == parent["split"] if "split" in twice else True
        assert next(s["parents"] for s in twice["lineage"] if s["step"] == "twice") == [parent["prompt_id"]]
        traced = flywheel("trace", twice["row_id"], "--name", "made", "--out", str(team / "lake"), "--json")
        assert traced.code == 0, traced.err
        assert {one["state"] for one in traced.json["logs"]} == {"published"}
        assert flywheel("verify", "--name", "made", "--out", str(team / "lake")).code == 0
        calls = len(at.asked)
        again = flywheel("refresh", "--recipe", told, "--json", OPENAI_API_KEY="k")
        assert again.json["status"] == "nothing_new", again.err
        assert len(at.asked) == calls


def test_without_logs_a_chain_starts_by_itself_and_what_others_wrote_is_scrubbed_first(
    flywheel: Flywheel, team: Path
) -> None:
    with teacher(good) as at:
        told = recipe(team, at.url, produce=["team.py:Begin", "team.py:Pages", "team.py:Ask"])
        done = flywheel("synthesize", "--recipe", told, "--json", OPENAI_API_KEY="k")
        assert done.code == 0, done.err
        assert done.json["made"] == {"published": 3, "used": 1}
        assert done.json["ledger"] == {}
        answered = {r["messages"][0]["content"]: r for r in rows(done.json["path"])}
        (ask,) = (r for q, r in answered.items() if q.startswith("What does"))
        assert "jane.doe" not in json.dumps([ask, at.asked])
        assert ask["teacher"] == "nobody"
        noted = {s["stage"]: s["noted"] for s in done.json["stages"]}
        assert noted["Begin"] == {"read": 2}
        again = flywheel("synthesize", "--recipe", told, "--json", OPENAI_API_KEY="k")
        assert (again.code, again.json["status"]) == (0, "nothing_new"), again.err


def test_a_benchmark_question_is_left_out_before_a_technique_gives_it_other_words(
    flywheel: Flywheel, team: Path
) -> None:
    secret = "Which of the seven harbours of the northern coast was closed by ice in the winter of the long siege?"
    harmless = "Why do lighthouse keepers paint their towers in stripes of two colours?"
    prompts = "".join(json.dumps({"instruction": text}) + "\n" for text in (secret, harmless))
    (team / "prompts.jsonl").write_text(prompts, "utf-8")
    (team / "exam.jsonl").write_text(json.dumps({"question": secret}) + "\n", "utf-8")
    chain = [{"datasets": {"files": [str(team / "prompts.jsonl")]}}, {"robust": {"per_record": 2}}]
    with teacher(good) as at:
        told = recipe(team, at.url, produce=chain, mine={"benchmarks": [str(team / "exam.jsonl")]})
        done = flywheel("synthesize", "--recipe", told, "--json", OPENAI_API_KEY="k")
    assert done.code == 0, done.err
    assert done.json["made"] == {"dropped:contaminated": 1, "published": 3}
    assert "harbours" not in json.dumps([at.asked, rows(done.json["path"])], default=str)


def test_what_waits_at_the_cap_goes_on_with_the_next_run_and_is_not_made_of_again(
    flywheel: Flywheel, team: Path
) -> None:
    with teacher(good) as at:
        made = {"produce": ["team.py:Begin"], "label": {}, "budget": {"calls": 3, "at_cap": "publish"}}
        capped = flywheel("synthesize", "--recipe", recipe(team, at.url, **made), "--json", OPENAI_API_KEY="k")
        assert capped.code == 4, capped.err
        assert capped.json["made"].get("pending"), capped.json["made"]
        rest = flywheel(
            "synthesize", "--recipe", recipe(team, at.url, produce=["team.py:Begin"]), "--json", OPENAI_API_KEY="k"
        )
        assert rest.code == 0, rest.err
        assert rest.json["rows_total"] == 2
        assert flywheel("verify", "--name", "made", "--out", str(team / "lake")).code == 0


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        (["team.py:Ask"], "Ask takes passages, and nothing before it gives any (produce.0)"),
        (["team.py:Begin", "team.py:Pages"], "Pages gives passages, and nothing after it takes them (produce.1)"),
        (["nonsense"], "there is no technique nonsense (produce.0)"),
        ([{"team.py:Twice": {"only": {"of": ["x"]}}}], "only has no setting of"),
        ([{"team.py:Begin": {"many": 2}}], "team.py:Begin has no setting many"),
        (
            ["team.py:Begin", {"team.py:Twice": {"only": {"after": ["Beginn"]}}}],
            "made, and nothing before it has that name (produce.1.only.after) — did you mean Begin",
        ),
        (
            [{"team.py:Twice": {"only": {"task_types": ["代码"]}}}],
            "has no task type 代码 (produce.0.only.task_types) — the task types are question_answering,",
        ),
    ],
)
def test_a_chain_that_cannot_work_is_one_sentence_before_any_call(
    chain: list[Any], said: str, flywheel: Flywheel, team: Path
) -> None:
    told = recipe(team, "http://127.0.0.1:9/v1", sources=[logs(team, *ASKED)], produce=chain)
    done = flywheel("refresh", "--recipe", told, OPENAI_API_KEY="k")
    assert done.code == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
