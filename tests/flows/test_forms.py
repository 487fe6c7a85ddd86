"""Other forms of what users asked: the recipes as they come, on logs of two questions, with what they publish."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from aiohttp import web

from tasks.language import detect
from tasks.prompt import load
from tasks.record import ROBUST
from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.conftest import PROJECT, Done
from tests.flows.teachers import good, teacher
from tests.rows import HAN, WORDS

Flywheel = Callable[..., Done]
ASKED = {
    "en": "Please write a novel about the keeper of a lighthouse who paints its tower in stripes",
    "zh": "请写一部小说，讲一位灯塔看守人怎样把塔身漆成一道一道的条纹",
}
FORMS = {
    "en": "Somebody here keeps wondering about matter {name}: how would you put it down on paper for a reader?",
    "zh": "有人一直惦记着第 {name} 号的故事，想看看您会怎样从头到尾讲给读者听。",
}
ABROAD = {
    (name, language): "zh" if language == "en" else "en"
    for name in ("round_trip/there", "translated/translate")
    for language in ("en", "zh")
}
PUBLISHED = {
    "rewrite_forms": (8, {"rewrite_forms/rewrite": 6}),
    "round_trip": (4, {"round_trip/back": 2}),
    "translated": (3, {"translated/translate": 1}),
    "decompose": (6, {"decompose/outline": 2, "decompose/part": 4}),
    "robust": (4, {"robust": 2}),
}
"""By recipe: how many rows come of the two, and by which steps those that no user asked."""


def reply(body: dict[str, Any]) -> web.StreamResponse:
    """A teacher that rewords, translates, judges and takes apart, each time in words of its own."""
    system, *_, last = texts(body)
    spoken = detect(system)
    wanted = next((to for (n, la), to in ABROAD.items() if load(n, la).turns[0].content == system), spoken)
    first, second, third, fourth = (FORMS[spoken].format(name=name(f"{n}{system}{last}", spoken)) for n in range(4))
    said: dict[str, Any] = {
        "reworded": {"text": FORMS[wanted].format(name=name(f"{system}{last}", wanted))},
        "sametask": {"reason": "the same", "is_request": True, "same_task": True},
        "split": {"reason": "a novel", "too_much": True, "outline_request": first},
        "outline": {"outline": f"{first} {second}", "requests": [third, fourth]},
    }
    if (schema := asked_schema(body)) not in said:
        return good(body)
    return web.json_response(completion(json.dumps(said[schema], ensure_ascii=False), "canned", last))


def name(text: str, language: str) -> str:
    """Words that tell one text from another, without a number in them."""
    drawn = [int(c, 16) for c in hashlib.sha256(text.encode()).hexdigest()[:40]]
    return "".join(HAN[c] for c in drawn) if language == "zh" else " ".join(WORDS[c % len(WORDS)] for c in drawn)


def logs(folder: Path) -> str:
    lines = [
        {"id": f"q{i}", "created_at": f"2026-03-0{i + 1}T00:00:00Z", "messages": [{"role": "user", "content": text}]}
        for i, text in enumerate(ASKED.values())
    ]
    file = folder / "logs.jsonl"
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return str(file)


def rows(path: str) -> list[dict[str, Any]]:
    return [row for file in sorted(Path(path).glob("data/chat/*.parquet")) for row in pq.read_table(file).to_pylist()]


@pytest.mark.parametrize("recipe", PUBLISHED)
def test_a_recipe_publishes_the_other_forms_of_what_was_asked(recipe: str, flywheel: Flywheel, tmp_path: Path) -> None:
    file, lake = str(PROJECT / "deployments" / "recipes" / f"{recipe}.yaml"), str(tmp_path / "lake")
    with teacher(reply) as at:
        told = ["--recipe", file, "--source", logs(tmp_path), "--out", lake]
        told += ["--set", "teacher.model=canned", "--set", f"teacher.base_url={at.url}"]
        if recipe == "robust":
            told += ["--set", "produce=[{robust: {per_record: 1}}]"]
        done = flywheel("refresh", *told, "--json", OPENAI_API_KEY="k")
    assert done.code == 0, done.err
    many, steps = PUBLISHED[recipe]
    assert done.json["rows_new"] == many, (done.json["ledger"], done.json["made"], done.json["dropped"])
    assert done.json["made"] == {"published": sum(steps.values())}
    assert done.json["ledger"] == ({"used": 2} if recipe == "decompose" else {"published": 2})
    published = rows(done.json["path"])
    made = [row for row in published if row["derived_from"]]
    by = Counter(stamp["step"] for row in made for stamp in row["lineage"] if stamp["step"] in steps)
    assert by == steps
    assert {ROBUST in row["tags"] for row in made} == {recipe == "robust"}
    assert all(row["messages"][0]["content"] not in ASKED.values() for row in made)
    sent = [text for body in at.asked for text in texts(body)[:1]]
    assert not any(system in json.dumps(row, ensure_ascii=False, default=str) for row in published for system in sent)
    verified = flywheel("verify", "--name", recipe, "--out", lake)
    assert verified.code == 0, verified.err
