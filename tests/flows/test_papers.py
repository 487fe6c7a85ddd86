"""The recipes of techniques that start from texts, each run alone against a teacher that reads what it is given."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from aiohttp import web

from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.conftest import PROJECT, Done
from tests.flows.teachers import good, teacher

Flywheel = Callable[..., Done]
FENCED = re.compile(r"<(\w+) (\w{8})>\n(.*?)\n</\1 \2>", re.S)


def reader(body: dict[str, Any]) -> web.StreamResponse:
    """Asks about the lines of what it is given, and answers with these lines."""
    said, schema = texts(body)[-1], asked_schema(body)
    given = {name: text for name, _, text in FENCED.findall(said)}
    source = given.get("passage") or given.get("answer") or ""
    lines = [line.strip(" -|") for line in source.split("\n") if len(line) > 12 and "---" not in line] or [source]
    chinese = any("一" <= c <= "鿿" for c in source)
    about = [f"请介绍一下：{line[:16]}" if chinese else f"Tell me more: {line[:30]}" for line in lines]
    pairs = [{"question": q, "answer": line} for q, line in zip(about, lines, strict=True)]
    shapes: dict[str, Any] = {
        "questions": {"questions": about[:3]},
        "curated": {"reason": "fits", "score": 5 if len(source) % 3 else 4},
        "pairs": {"pairs": pairs[:2]},
        "conversation": {"turns": pairs[-2:]},
    }
    if schema in shapes:
        return web.json_response(completion(json.dumps(shapes[schema]), "canned", said))
    if not schema and "question" in given:
        line = next((line for line, q in zip(lines, about, strict=True) if q.strip() in given["question"]), lines[0])
        return web.json_response(completion(line, "canned", said))
    if not schema and "answer" in given:
        return web.json_response(completion(about[0], "canned", said))
    return good(body)


def rows(path: str) -> list[dict[str, Any]]:
    return [row for file in sorted(Path(path).glob("data/chat/*.parquet")) for row in pq.read_table(file).to_pylist()]


def run(flywheel: Flywheel, recipe: str, lake: Path, url: str) -> Done:
    told = str(PROJECT / "deployments" / "recipes" / f"{recipe}.yaml")
    more = ["gates.rows.loose_punctuation=1", "gates.rows.truncated=false", "split.test=0", f"teacher.base_url={url}"]
    changes = [part for change in ["teacher.model=canned", *more] for part in ("--set", change)]
    done = flywheel("synthesize", "--recipe", told, "--out", str(lake), *changes, "--json", OPENAI_API_KEY="k")
    assert done.code == 0, done.err
    verified = flywheel("verify", "--name", recipe, "--out", str(lake))
    assert verified.code == 0, verified.err
    return done


@pytest.mark.parametrize(
    ("recipe", "steps", "many"),
    [
        ("self_qa", {"documents", "self_qa/questions", "self_qa/answer"}, 10),
        ("dialogue", {"documents", "dialogue/pairs", "dialogue/conversation"}, 10),
        ("backtranslation", {"documents", "backtranslation/prompt", "backtranslation/curate_again"}, 2),
        ("datasets", {"datasets", "answer/direct"}, 15),
        ("reversed_pairs", {"datasets", "answer/direct", "reversed_pairs"}, 6),
    ],
)
def test_each_recipe_publishes_rows_that_say_what_they_were_made_of(
    recipe: str, steps: set[str], many: int, flywheel: Flywheel, tmp_path: Path
) -> None:
    with teacher(reader) as at:
        done = run(flywheel, recipe, tmp_path / "lake", at.url)
        made = rows(done.json["path"])
        assert len(made) == done.json["rows_new"] == done.json["made"]["published"] >= many
        assert {row["language"] for row in made} >= {"zh"}
        assert steps <= {stamp["step"] for row in made for stamp in row["lineage"]}
        assert done.json["ledger"] == {}, "there were no logs"
        sent = json.dumps(at.asked, ensure_ascii=False)
        assert "<passage " in sent or "<answer " in sent or recipe == "datasets"
        assert recipe == "reversed_pairs" or not any("</passage" in m["content"] for r in made for m in r["messages"])
        check(recipe, made, done)


def check(recipe: str, made: list[dict[str, Any]], done: Done) -> None:
    """What is particular to a recipe's rows."""
    if recipe == "self_qa":
        assert all(row["passage"] and row["messages"][-1]["content"] in row["passage"] for row in made)
        assert done.json["made"]["used"] > 5
    elif recipe == "dialogue":
        assert {len(row["messages"]) for row in made} == {2, 4}
        assert all(m["trained"] == (m["role"] == "assistant") for row in made for m in row["messages"])
    elif recipe == "backtranslation":
        assert {row["teacher"] for row in made} == {"human text"}
        assert done.json["made"]["dropped:low_score"] > 0
    elif recipe == "datasets":
        assert any(row["reference"] == "退换" for row in made)
    else:
        assert all(row["messages"][0]["content"].rstrip().endswith(">") for row in made)
        assert done.json["made"]["used"] == len(made)


def test_documents_that_cannot_be_read_are_named_on_the_terminal(flywheel: Flywheel, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    text = (PROJECT / "data/documents/zh/kettle_manual.md").read_text("utf-8")
    for number in range(6):
        (folder / f"{number}.md").write_text(text.replace("TX-3", f"TX-{number}"), "utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    chain = json.dumps([{"documents": {"files": [str(folder)]}}, {"self_qa": {"questions": 1}}])
    with teacher(reader) as at:
        options = ["--set", f"produce={chain}", "--set", "teacher.model=canned", "--set", f"teacher.base_url={at.url}"]
        told = [
            "synthesize",
            "--recipe",
            str(PROJECT / "deployments/recipes/self_qa.yaml"),
            "--out",
            str(tmp_path / "lake"),
        ]
        done = flywheel(*told, *options, "--json", OPENAI_API_KEY="k")
        assert "cannot read broken.pdf: broken" in done.err + done.out
        assert done.json["made"]["dropped:unreadable"] == 1
        (folder / "other.docx").write_bytes(b"no zip")
        stopped = flywheel(*told, *options, OPENAI_API_KEY="k")
        assert stopped.code == 2, stopped.err
        assert "2 of 8 documents cannot be read in full: broken.pdf: broken; other.docx: broken" in stopped.err
