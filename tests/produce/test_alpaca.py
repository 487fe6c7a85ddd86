"""Alpaca in both languages: whole tasks out of one reply, ill ones counted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tasks.produce.seeds import read_seeds
from tasks.prompt import load
from tasks.teacher.protocol import texts
from tests import faults
from tests.faults import FaultsServer, always, in_order
from tests.produce.grown import grown
from tests.rows import HOSTILE

each_language = pytest.mark.parametrize("language", ["en", "zh"])
NEW = {
    "en": (
        ("Explain to a night-shift nurse how to nap well", "(none)", "Lie down early."),
        ("Say in one word how the guest felt", "Never again, not for free.", "angry"),
        ("Turn these shopping notes into a tidy list", "milk. 2 eggs; bread!", "- milk\n- eggs (2)\n- bread"),
    ),
    "zh": (
        ("给上夜班的护士讲讲怎样小睡", "无", "提早躺下。"),
        ("用一个词说出这位住客的心情", "白送我都不来了。", "生气"),
        ("把下面的购物随手记理成一张单子", "牛奶。鸡蛋两个；面包！", "- 牛奶\n- 鸡蛋（两个）\n- 面包"),
    ),
}


def listed(language: str, tasks: Any) -> str:
    words = load("alpaca/tasks", language).words
    names = [words[part] + words["colon"] for part in ("instruction", "input", "output")]
    rows = [f"{n}. {name}{text}" for n, task in enumerate(tasks, 1) for name, text in zip(names, task, strict=False)]
    return "\n".join(rows)


def one_call(language: str, **more: Any) -> dict[str, Any]:
    return {"language": language, "target": 60, "at_once": 1, "patience": 1, **more}


@each_language
async def test_whole_tasks_become_prompts_with_their_input(language: str, tmp_path: Path) -> None:
    async with FaultsServer(lambda _: listed(language, NEW[language])) as server:
        found = await grown("alpaca", one_call(language, target=3), server, tmp_path)
    assert found.texts == [task[0] for task in NEW[language]]
    assert [r.input for r in found.made] == ["", *(task[1] for task in NEW[language][1:])]
    assert {(r.kind, r.language, r.reference) for r in found.made} == {("prompts", language, "")}
    (stamp,) = found.made[0].lineage
    assert (stamp.step, stamp.prompt) == ("alpaca/tasks", load("alpaca/tasks", language).sha256)
    assert (len(server.calls), found.tally.stopped) == (1, {})


@each_language
async def test_three_seeds_are_shown_and_twenty_tasks_asked_for(language: str, tmp_path: Path) -> None:
    async with FaultsServer(lambda _: "") as server:
        await grown("alpaca", {"language": language, "target": 60, "patience": 1}, server, tmp_path)
    seeds = {seed.prompt for seed in read_seeds(f"data/seeds/{language}.jsonl")}
    words = load("alpaca/tasks", language).words
    asked = []
    for call in server.calls[:3]:
        system, user = texts(call.body)
        assert "20" in system
        found = re.findall(
            rf"^\d\. {words['instruction']}{words['colon']}(.*?)(?=\n\d\. {words['input']})", user, re.M | re.S
        )
        assert len(set(found)) == 3
        assert set(found) < seeds
        asked.append(tuple(found))
    assert len(set(asked)) == 3, "each call shows others"


@each_language
async def test_an_ill_task_is_counted_and_the_others_stay(language: str, tmp_path: Path) -> None:
    ill = [NEW[language][0], NEW[language][1][:2], ("", "x", "y"), NEW[language][2]]
    async with FaultsServer(lambda _: listed(language, ill), in_order()) as server:
        found = await grown("alpaca", one_call(language), server, tmp_path)
    assert found.texts == [NEW[language][0][0], NEW[language][2][0]]
    assert found.tally.noted == {"ill_formed_task": 2 * len(server.calls)}
    assert found.tally.stopped == {"short": "2 of 60 grown before the step gave up"}


@each_language
async def test_tasks_of_one_reply_are_told_apart_too(language: str, tmp_path: Path) -> None:
    first, second, third = NEW[language]
    said = [first, (first[0] + {"en": " deeply", "zh": "吧"}[language], "x", "y"), second, third]
    async with FaultsServer(lambda _: listed(language, said)) as server:
        found = await grown("alpaca", one_call(language, target=3), server, tmp_path)
    assert found.dropped == [(said[1][0], "repeated")]


@each_language
@pytest.mark.parametrize(("given", "output", "reason"), [("x", "", "unanswered"), ("the same", "The same", "echoed")])
async def test_a_task_that_does_not_hold_takes_nobodys_place(
    language: str, given: str, output: str, reason: str, tmp_path: Path
) -> None:
    good = NEW[language][1]
    said = listed(language, [(good[0], given, output), good])
    async with FaultsServer(lambda _: said) as server:
        found = await grown("alpaca", one_call(language, target=1), server, tmp_path)
    assert found.dropped == [(good[0], reason)]
    assert [r.input for r in found.made] == [good[1]]


@each_language
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ({"en": "Sum it", "zh": "算一下"}, "too_short"),
        ({"en": "Draw a cat in the rain", "zh": "画一只雨里的猫给我"}, "beyond_text"),
    ],
)
async def test_what_does_not_fit_is_dropped(language: str, text: dict[str, str], reason: str, tmp_path: Path) -> None:
    said = listed(language, [(text[language], "x", "y"), NEW[language][1]])
    async with FaultsServer(lambda _: said) as server:
        found = await grown("alpaca", one_call(language, target=1), server, tmp_path)
    assert found.dropped == [(text[language], reason)]


@each_language
@pytest.mark.parametrize(
    ("fault", "noted"),
    [
        (faults.message(content="I would rather not."), "unreadable_reply"),
        (faults.cut_at_limit, "truncated"),
        (faults.refusal, "filtered"),
    ],
)
async def test_a_reply_that_is_none_is_counted(language: str, fault: faults.Fault, noted: str, tmp_path: Path) -> None:
    async with FaultsServer(lambda _: "", always(fault)) as server:
        found = await grown("alpaca", {**one_call(language), "at_once": 2}, server, tmp_path)
    assert found.tally.noted == {noted: 2}
    assert found.tally.stopped == {"short": "0 of 60 grown before the step gave up"}


@each_language
async def test_what_is_too_much_is_surplus(language: str, tmp_path: Path) -> None:
    async with FaultsServer(lambda _: listed(language, NEW[language])) as server:
        found = await grown("alpaca", one_call(language, target=2), server, tmp_path)
    assert found.texts == [task[0] for task in NEW[language][:2]]
    assert found.dropped == [(NEW[language][2][0], "surplus")]


@each_language
async def test_hostile_tasks_are_texts(language: str, tmp_path: Path) -> None:
    said = [(f"{NEW[language][i % 3][0]} {i * 1111} {h}", h, f"{h}!") for i, h in enumerate(HOSTILE)]
    async with FaultsServer(lambda _: listed(language, said)) as server:
        found = await grown("alpaca", one_call(language, target=20, rouge=1.0), server, tmp_path)
    assert {(r.instruction, r.input) for r in found.made} >= {(t[0], t[1]) for t in said if t[0] in found.texts}
    assert len(found.made) >= 3
