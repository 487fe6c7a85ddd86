"""Self-Instruct in both languages: what is shown, what joins, what does not and why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.produce.shelf import PRODUCE
from tasks.prompt import load
from tasks.recipe import RecipeError
from tasks.record import Message, Record, begun
from tasks.teacher.protocol import asked_schema, texts
from tests import faults
from tests.faults import Body, FaultsServer, Script
from tests.produce.grown import as_json, grown
from tests.rows import HOSTILE, ask

Say = Callable[[Body], str]
each_language = pytest.mark.parametrize("language", ["en", "zh"])

NEW = {
    "en": (
        "Explain to a night-shift nurse how to nap well",
        "Is the guest in this review angry or content?",
        "Turn these shopping notes into a tidy list",
        "Invent a rumour that a village of beekeepers would believe",
    ),
    "zh": (
        "给上夜班的护士讲讲怎样小睡",
        "这条住客评价是生气还是满意？",
        "把下面的购物随手记理成一张单子",
        "替养蜂人的村子编一个大家都会信的传闻",
    ),
}
CLASSIFIED = ("Is the guest in this review angry or content?", "这条住客评价是生气还是满意？")


def seeds(folder: Path, language: str, kinds: Iterable[str] = ("a",), many: int = 8) -> dict[str, Any]:
    """A team's own seeds, as a setting; every other one is a classification."""
    said = {"en": "{kind} task number {i} about lighthouses", "zh": "{kind}类第{i}道题，说说灯塔"}[language]
    rows = [
        {"task_type": k, "prompt": said.format(kind=k, i=f"{i}" * 3), "response": "x", "classification": i % 2 == 0}
        for k in kinds
        for i in range(many)
    ]
    (folder / f"ours.{language}.jsonl").write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), "utf-8")
    return {"seeds": f"{folder}/ours.{{language}}.jsonl", "language": language}


def teaches(
    *rounds: Iterable[str],
    classified: Iterable[str] = CLASSIFIED,
    by_label: Any = ({"label": "angry", "input": "Never again."}, {"label": "content", "input": "What a view!"}),
    by_input: Any = ({"input": "", "output": "Lie down for twenty minutes."},),
) -> Say:
    """A teacher that gives these instructions call by call, then the last again, and the same instances for all."""
    left = [list(one) for one in rounds]

    def say(body: Body) -> str:
        match asked_schema(body):
            case "instructions":
                return as_json(instructions=left.pop(0) if len(left) > 1 else left[0])
            case "tested":
                return as_json(classification=asked_about(body) in classified)
            case "outputfirst":
                return as_json(instances=by_label)
            case "inputfirst":
                return as_json(instances=by_input)
            case other:
                raise AssertionError(other)

    return say


def asked_about(body: Body) -> str:
    found = re.search(r"<instruction (\w{8})>\n(.*?)\n</instruction \1>", "\n".join(texts(body)), re.DOTALL)
    assert found
    return found[2]


def shown(body: Body) -> list[str]:
    """The examples of a call for instructions."""
    found = re.search(r"<examples (\w{8})>\n(.*)\n</examples \1>", texts(body)[-1], re.DOTALL)
    assert found
    return [line.partition(". ")[2] for line in found[2].splitlines()]


def calls(server: FaultsServer, schema: str) -> list[Body]:
    return [call.body for call in server.calls if asked_schema(call.body) == schema]


@each_language
async def test_new_prompts_come_with_their_input_and_wait_for_an_answer(language: str, tmp_path: Path) -> None:
    async with FaultsServer(teaches(NEW[language])) as server:
        found = await grown("self_instruct", {"target": 5, **seeds(tmp_path, language)}, server, tmp_path)
    assert found.texts == [NEW[language][0], *[NEW[language][1]] * 2, *NEW[language][2:]]
    assert {(r.kind, r.language, r.made) for r in found.made} == {("prompts", language, True)}
    first, angry, content, *_ = found.made
    assert (first.input, first.reference) == ("", "")
    assert [(r.input, r.reference) for r in (angry, content)] == [
        ("Never again.", "angry"),
        ("What a view!", "content"),
    ]
    assert found.tally.stopped == {}
    assert (found.tally.made, found.tally.out) == (5, 5)


@each_language
async def test_the_number_that_an_instruction_bears_in_its_list_is_no_part_of_it(language: str, tmp_path: Path) -> None:
    first, _, third, last = NEW[language]
    listed = (f"1. {first}", f"- {third}", f"2、{last}", "2、3、5 to 50")
    async with FaultsServer(teaches(listed)) as server:
        found = await grown("self_instruct", {"target": 3, **seeds(tmp_path, language)}, server, tmp_path)
    assert found.texts == [first, third, last]


@each_language
async def test_what_fits_no_type_is_not_asked_for_as_a_kind(language: str, tmp_path: Path) -> None:
    async with FaultsServer(teaches(NEW[language])) as server:
        settings = {"target": 1, "by_task_type": True, **seeds(tmp_path, language, ["other"])}
        await grown("self_instruct", settings, server, tmp_path)
    (asked,) = calls(server, "instructions")
    assert texts(asked)[0].startswith(load("self_instruct/instructions", language).turns[0].content.partition("{{")[0])


@each_language
async def test_lineage_names_the_prompts_that_asked_for_it(language: str, tmp_path: Path) -> None:
    async with FaultsServer(teaches(NEW[language])) as server:
        found = await grown("self_instruct", {"target": 2, **seeds(tmp_path, language)}, server, tmp_path)
    steps = [[(s.step, s.prompt, s.model) for s in r.lineage] for r in found.made]
    asked = ("self_instruct/instructions", load("self_instruct/instructions", language).sha256, "m-1")
    by = [("self_instruct/input_first", "self_instruct/output_first")[i] for i in range(2)]
    assert steps == [[asked, (name, load(name, language).sha256, "m-1")] for name in by]
    sent = "".join(m["content"] for call in server.calls for m in call.body["messages"] if m["role"] == "system")
    assert not any(line in sent for r in found.made for line in r.instruction.splitlines())


@each_language
async def test_six_seeds_and_two_of_what_was_grown_are_shown(language: str, tmp_path: Path) -> None:
    settings = {"target": 4, "at_once": 1, "per_call": 2, **seeds(tmp_path, language)}
    async with FaultsServer(teaches(NEW[language][::2], NEW[language][1::2], classified=())) as server:
        found = await grown("self_instruct", settings, server, tmp_path)
    first, second = (shown(body) for body in calls(server, "instructions"))
    assert len(set(first)) == len(set(second)) == 8
    assert sorted(t for t in second if t in NEW[language]) == sorted(NEW[language][::2])
    assert not set(first) & set(NEW[language])
    assert [len(r.lineage[0].parents) for r in found.made] == [0, 0, 2, 2]


@each_language
async def test_each_type_grows_from_its_own(language: str, tmp_path: Path) -> None:
    settings = {"target": 4, "by_task_type": True, "per_call": 1, "at_once": 2}
    kinds = {"en": ("riddles", "couplets"), "zh": ("谜语", "对联")}[language]
    said = [[text] for text in NEW[language]]
    async with FaultsServer(teaches(*said, classified=())) as server:
        found = await grown("self_instruct", settings | seeds(tmp_path, language, kinds), server, tmp_path)
    asked = calls(server, "instructions")
    for body in asked:
        (kind,) = (k for k in kinds if k in texts(body)[0])
        assert all(kind in text or text in NEW[language] for text in shown(body))
    assert [sum(k in texts(body)[0] for body in asked) for k in kinds] == [2, 2]
    assert sorted(r.task_type for r in found.made) == sorted(kinds * 2)
    by_text = {r.instruction: r.task_type for r in found.made}
    for body in asked[2:]:
        (kind,) = (k for k in kinds if k in texts(body)[0])
        assert [by_text[t] for t in shown(body) if t in by_text] == [kind]


@pytest.mark.parametrize(
    ("language", "text", "reason"),
    [
        ("en", "Write a poem", "too_short"),
        ("zh", "写首诗吧", "too_short"),
        ("en", "word " * 151, "too_long"),
        ("zh", "长" * 251, "too_long"),
        ("en", "Draw a lighthouse in three colours for me", "beyond_text"),
        ("zh", "根据这段视频写一段解说词", "beyond_text"),
        ("en", "请用三句话讲讲潮汐的成因", "wrong_language"),
        ("zh", "Tell me in three short sentences why there are tides in the sea", "wrong_language"),
        ("en", "a task number 333 about lighthouses", "repeated"),
        ("zh", "a类第333道题，说说灯塔吧", "repeated"),
        ("en", NEW["en"][0] + " deeply", "repeated"),
        ("zh", NEW["zh"][0] + "吧", "repeated"),
    ],
)
async def test_what_does_not_fit_or_is_not_new_is_dropped(
    language: str, text: str, reason: str, tmp_path: Path
) -> None:
    settings = {"target": 2, "at_once": 1, "patience": 1, **seeds(tmp_path, language)}
    async with FaultsServer(teaches([NEW[language][0], text])) as server:
        found = await grown("self_instruct", settings, server, tmp_path)
    assert found.texts == [NEW[language][0]]
    assert found.dropped[0] == (text.strip(), reason)
    assert len(calls(server, "tested")) == 1, "nobody is asked about what is dropped"


@each_language
async def test_what_may_stay_in_is_measured_as_the_language_is_read(language: str, tmp_path: Path) -> None:
    longest = {"en": " ".join(f"w{i}" for i in range(150)), "zh": "".join(chr(0x4E00 + i) for i in range(250))}
    shortest = {"en": "Praise the morning fog", "zh": "写首咏雾的诗"}
    said = [longest[language], shortest[language]]
    async with FaultsServer(teaches(said)) as server:
        found = await grown("self_instruct", {"target": 2, **seeds(tmp_path, language)}, server, tmp_path)
    assert found.texts == said


@each_language
@pytest.mark.parametrize(
    ("instances", "kept", "reasons"),
    [
        ([{"input": "a", "output": " "}], [], ["unanswered"]),
        ([{"input": "The same.", "output": "the  same."}], [], ["echoed"]),
        ([{"input": "a", "output": "1"}, {"input": "A ", "output": "2"}], [], ["contradicted", "contradicted"]),
        ([{"input": "a", "output": "1"}, {"input": "a", "output": "1"}], ["a"], ["repeated"]),
        ([{"input": "a", "output": "1"}, {"input": "b", "output": ""}], ["a"], ["unanswered"]),
        ([{"input": "<noinput>", "output": "1"}], [""], []),
        ([{"input": "无", "output": "1"}], [""], []),
        ([{"input": f"i{n}", "output": "1"} for n in range(5)], ["i0", "i1"], []),
        ([], [], ["unanswered"]),
    ],
)
async def test_an_instance_that_does_not_hold_is_dropped(
    language: str, instances: list[Any], kept: list[str], reasons: list[str], tmp_path: Path
) -> None:
    settings = {"target": 9, "at_once": 1, "patience": 1, **seeds(tmp_path, language)}
    async with FaultsServer(teaches(NEW[language][:1], by_input=instances)) as server:
        found = await grown("self_instruct", settings, server, tmp_path)
    assert [r.input for r in found.made] == kept
    assert [why for _, why in found.dropped][: len(reasons)] == reasons


@each_language
async def test_the_report_says_how_far_it_came_when_nothing_new_comes(language: str, tmp_path: Path) -> None:
    async with FaultsServer(teaches(NEW[language])) as server:
        settings = {"target": 50, "patience": 2, "at_once": 3, **seeds(tmp_path, language)}
        found = await grown("self_instruct", settings, server, tmp_path)
    assert found.tally.stopped == {"short": "5 of 50 grown before the step gave up"}
    assert found.tally.dropped == {"repeated": 4 * 9 - 4}
    assert len(calls(server, "instructions")) == 9


@each_language
async def test_no_more_than_the_target_is_made_and_followed_up(language: str, tmp_path: Path) -> None:
    async with FaultsServer(teaches(NEW[language][::-1])) as server:
        found = await grown("self_instruct", {"target": 2, **seeds(tmp_path, language)}, server, tmp_path)
    assert len(found.made) == 2
    assert found.tally.dropped == {"surplus": 2}
    assert len(calls(server, "tested")) == 2


def spoilt(schema: str, fault: faults.Fault) -> Script:
    return lambda call: fault if asked_schema(call.body) == schema else None


PROSE = faults.message(content="I would rather talk.")


@each_language
@pytest.mark.parametrize(
    ("schema", "fault", "noted", "reason"),
    [
        ("instructions", PROSE, {"unreadable_reply": 1}, None),
        ("instructions", faults.cut_at_limit, {"truncated": 1}, None),
        ("tested", PROSE, {}, "untested"),
        ("tested", faults.refusal, {}, "filtered"),
        ("inputfirst", PROSE, {}, "unparsed"),
        ("inputfirst", faults.cut_at_limit, {}, "truncated"),
    ],
)
async def test_a_reply_that_is_none_costs_no_more_than_its_own_task(
    language: str, schema: str, fault: faults.Fault, noted: dict[str, int], reason: str | None, tmp_path: Path
) -> None:
    settings = {"target": 9, "at_once": 1, "patience": 1, **seeds(tmp_path, language)}
    async with FaultsServer(teaches(NEW[language][:2]), spoilt(schema, fault)) as server:
        found = await grown("self_instruct", settings, server, tmp_path)
    assert found.tally.noted == noted
    if reason:
        assert found.dropped[0] == (NEW[language][0], reason)
    assert set(found.tally.stopped) == {"short"}


async def pool_of(language: str, folder: Path, latency: float, seed: int = 7) -> list[tuple[str, str, tuple[str, ...]]]:
    """Grown at a teacher whose replies depend on what it is asked, and are late by chance."""

    def say(body: Body) -> str:
        said = texts(body)[-1]
        word = f"{hash_of(said)}"
        if asked_schema(body) == "instructions":
            # digits are tokens of their own: every reply is unlike any other
            return as_json(instructions=[" ".join(f"{word[i : i + 4]}{n}{i}" for i in range(6)) for n in range(3)])
        return teaches(NEW[language])(body)

    folder.mkdir()
    async with FaultsServer(say, latency=latency) as server:
        settings = {"target": 12, "per_call": 3, "at_once": 3, **seeds(folder, language)}
        found = await grown("self_instruct", settings, server, folder, seed=seed)
    return [(r.instruction, r.input, r.lineage[0].parents) for r in found.made]


def hash_of(text: str) -> int:
    return int.from_bytes(text.encode()[-4000:], "big") % 10**12


@each_language
async def test_the_same_seed_grows_the_same_pool_whatever_the_timing(language: str, tmp_path: Path) -> None:
    one = await pool_of(language, tmp_path / "one", 0.0)
    assert len(one) == 12
    assert await pool_of(language, tmp_path / "two", 0.01) == one
    assert await pool_of(language, tmp_path / "three", 0.0, seed=8) != one


@each_language
async def test_it_grows_from_logs_too_and_stands_on_those_it_showed(language: str, tmp_path: Path) -> None:
    logged = {
        "en": ["How do I keep basil alive on a north-facing sill?", "What did lamplighters earn in old London town?"],
        "zh": ["朝北的窗台怎样养活罗勒？", "从前的更夫一夜能挣多少钱？"],
    }
    other = "zh" if language == "en" else "en"
    pool = [ask(t, i) for i, t in enumerate((*logged[language], *logged[other]))]
    said = [logged[language][0], NEW[language][0]]
    async with FaultsServer(teaches(said)) as server:
        settings = {"target": 1, **seeds(tmp_path, language)}
        found = await grown("self_instruct", settings, server, tmp_path, pool)
    assert found.dropped == [(logged[language][0], "repeated")]
    (made,) = found.made
    assert set(made.derived_from) == {"l-00000", "l-00001"}
    assert set(made.lineage[0].parents) == {r.prompt_id for r in pool[:2]}
    assert set(logged[language]) < set(shown(calls(server, "instructions")[0]))


@each_language
async def test_a_session_or_a_call_of_tools_is_no_example(language: str, tmp_path: Path) -> None:
    text = NEW[language][3]
    pool = [ask(text, 0, before=("a", "b")), ask(text + " 2", 1, tools="[]"), ask(text * 60, 2)]
    pool += [begun("x", (Message("user", text + " 3"),), "other")]
    async with FaultsServer(teaches(NEW[language][:1])) as server:
        await grown("self_instruct", {"target": 1, **seeds(tmp_path, language)}, server, tmp_path, pool)
    (body,) = calls(server, "instructions")
    assert not any(text in one for one in shown(body))


@each_language
@pytest.mark.parametrize("hostile", HOSTILE)
async def test_no_text_of_the_pool_changes_what_is_asked(language: str, hostile: str, tmp_path: Path) -> None:
    async def asked(folder: str, pool: list[Record]) -> Body:
        (tmp_path / folder).mkdir()
        async with FaultsServer(teaches(NEW[language][:1])) as server:
            settings = {"target": 1, "human": 0, "generated": 1, **seeds(tmp_path, language)}
            await grown("self_instruct", settings, server, tmp_path / folder, pool)
        return calls(server, "instructions")[0]

    def pool(text: str) -> list[Record]:
        return [replace(ask(text), language=language)]

    text = NEW[language][3]
    quiet, loud = await asked("quiet", pool(text)), await asked("loud", pool(text + hostile))
    assert loud["messages"][0] == quiet["messages"][0]
    around = re.fullmatch(r"<examples (\w{8})>\n1\. (.*)\n</examples \1>", loud["messages"][1]["content"].strip(), re.S)
    assert around
    assert around[2] == text + hostile


async def test_the_schemas_keep_to_what_strict_endpoints_take(tmp_path: Path) -> None:
    async with FaultsServer(teaches(NEW["zh"])) as server:
        await grown("self_instruct", {"target": 5, **seeds(tmp_path, "zh")}, server, tmp_path)
    schemas = {asked_schema(c.body): c.body["response_format"]["json_schema"]["schema"] for c in server.calls}
    assert set(schemas) == {"instructions", "tested", "outputfirst", "inputfirst"}
    order = list(schemas["outputfirst"]["$defs"]["Labelling"]["properties"])
    assert order == ["label", "input"], "the label is chosen before the text is written"
    assert not any(word in json.dumps(schemas) for word in ("minItems", "maxItems", "minLength", "default"))


@pytest.mark.parametrize("technique", ["self_instruct", "alpaca", "chinese_llama_alpaca"])
@pytest.mark.parametrize("setting", ["target", "per_call", "at_once", "patience"])
@each_language
def test_nothing_grows_towards_less_than_one(technique: str, setting: str, language: str) -> None:
    with pytest.raises(RecipeError, match=f"{technique}: {setting}: Input should be greater than 0"):
        PRODUCE.link({technique: {"language": language, setting: 0}}, 0)
