"""Chinese-LLaMA-Alpaca in both languages: chance topics, kinds and lengths; JSON items."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tasks.produce.seeds import read_lines
from tasks.prompt import load
from tasks.teacher.protocol import asked_schema, texts
from tests import faults
from tests.faults import FaultsServer, always, in_order
from tests.produce.grown import as_json, grown
from tests.produce.test_alpaca import NEW
from tests.rows import ask

each_language = pytest.mark.parametrize("language", ["en", "zh"])


def items(language: str, *others: dict[str, str]) -> str:
    made = [{"instruction": a, "input": b, "output": c} for a, b, c in NEW[language]]
    return as_json(items=[*made, *others])


def settings(language: str, **more: Any) -> dict[str, Any]:
    return {"language": language, "target": 30, "at_once": 1, "patience": 1, **more}


@each_language
async def test_items_become_prompts_with_their_input(language: str, tmp_path: Path) -> None:
    async with FaultsServer(lambda _: items(language)) as server:
        found = await grown("chinese_llama_alpaca", settings(language, target=3), server, tmp_path)
    assert found.texts == [task[0] for task in NEW[language]]
    assert [r.input for r in found.made] == ["", *(task[1] for task in NEW[language][1:])]
    (stamp,) = found.made[0].lineage
    prompt = load("chinese_llama_alpaca/items", language)
    assert (stamp.step, stamp.prompt) == ("chinese_llama_alpaca/items", prompt.sha256)
    assert asked_schema(server.calls[0].body) == "items"


@each_language
async def test_topics_kinds_and_lengths_are_drawn_for_each_call(language: str, tmp_path: Path) -> None:
    async with FaultsServer(lambda _: as_json(items=[])) as server:
        told = settings(language, at_once=3, instruction=[11, 99], material=[111, 199], answer=[211, 299])
        await grown("chinese_llama_alpaca", told, server, tmp_path)
    topics = set(read_lines(f"data/seeds/topics.{language}.txt"))
    drawn, limits = [], []
    for call in server.calls:
        system, user = texts(call.body)
        lines = [line.partition(". ")[2].split(" | ") for line in user.splitlines() if " | " in line]
        assert len(lines) == 10
        assert {topic for topic, _ in lines} <= topics
        assert len({kind for _, kind in lines}) > 3
        drawn.append(str(lines))
        limits.append(re.findall(r"(?:at most |不超过)(\d+)", system))
    assert len(set(drawn)) == len({tuple(one) for one in limits}) == 3
    assert all(11 <= int(a) <= 99 and 111 <= int(b) <= 199 and 211 <= int(c) <= 299 for a, b, c in limits)


@each_language
async def test_kinds_that_are_left_out_are_never_drawn(language: str, tmp_path: Path) -> None:
    async with FaultsServer(lambda _: as_json(items=[])) as server:
        only = settings(language, per_call=60, taxonomy=taxonomy(tmp_path), leave_out=["essays"])
        await grown("chinese_llama_alpaca", only, server, tmp_path)
    _, user = texts(server.calls[0].body)
    kinds = {line.partition(" | ")[2] for line in user.splitlines() if " | " in line}
    assert kinds == {{"en": "Couplets: for the New Year", "zh": "对联：春联"}[language]}


def taxonomy(folder: Path) -> str:
    """A team's own kinds."""
    (folder / "ours.yaml").write_text(
        """
task_types:
  couplets:
    {en: Couplets, zh: 对联, subtypes: {new_year: {en: for the New Year, zh: 春联}}}
  essays:
    {en: Essays, zh: 作文, subtypes: {any: {en: any, zh: 不限}}}
domains: {general: {en: general, zh: 通用}}
""",
        "utf-8",
    )
    return str(folder / "ours.yaml")


@each_language
async def test_the_filters_look_at_the_reply_and_at_what_is_there_already(language: str, tmp_path: Path) -> None:
    known, first, second = NEW[language]
    others = [
        {"instruction": first[0], "input": "other", "output": "z"},
        {"instruction": "?", "input": "", "output": "z"},
        {
            "instruction": {"en": "Name a river in Spain", "zh": "说出一条河的名字"}[language],
            "input": "x",
            "output": "X",
        },
    ]
    async with FaultsServer(lambda _: items(language, *others)) as server:
        pool = [ask(known[0])]
        found = await grown("chinese_llama_alpaca", settings(language, target=2), server, tmp_path, pool)
    assert found.texts == [first[0], second[0]]
    assert [reason for _, reason in found.dropped] == ["repeated", "repeated", "too_short", "echoed"]


@each_language
async def test_a_reply_in_another_shape_is_asked_again_and_then_counted(language: str, tmp_path: Path) -> None:
    prose = faults.message(content='{"items": [{"instruction": "no output"}]}')
    async with FaultsServer(lambda _: items(language), in_order(prose)) as server:
        found = await grown("chinese_llama_alpaca", settings(language, target=3), server, tmp_path)
    assert (len(found.made), len(server.calls), found.tally.noted) == (3, 2, {})
    async with FaultsServer(lambda _: items(language), always(prose)) as server:
        found = await grown("chinese_llama_alpaca", settings(language), server, tmp_path / "always")
    assert (found.made, found.tally.noted) == ([], {"unreadable_reply": 1})
    async with FaultsServer(lambda _: items(language), always(faults.cut_at_limit)) as server:
        found = await grown("chinese_llama_alpaca", settings(language), server, tmp_path / "cut")
    assert found.tally.noted == {"truncated": 1}
