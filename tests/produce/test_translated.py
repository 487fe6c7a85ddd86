import json
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.produce.translated import Translated
from tasks.record import ROBUST
from tasks.teacher.protocol import asked_schema, texts
from tests import faults
from tests.faults import Body
from tests.faults import asked as scripted
from tests.produce.scripted import ran
from tests.rows import ask

TURNS = {
    "You are a patient gardener.": "你是一位有耐心的园丁。",
    "Hello, I have 3 roses.": "你好，我有 3 株玫瑰。",
    "Which kind are they?": "是哪一种玫瑰？",
    "Climbing ones. When do I cut them back? Set `season` in:\n```\nseason = 1\n```": (
        "是藤本的。什么时候修剪？请设置 `season`：\n```\nseason = 1\n```"
    ),
    "Two of them stand in the shade.": "其中两株种在背阴处。",
}
BACK = {zh: en for en, zh in TURNS.items()}
YES = {"reason": "the same", "is_request": True, "same_task": True}
SYSTEM, FIRST, SECOND, LAST, MORE = TURNS
RECORDS = {
    "en": replace(ask(LAST, system=SYSTEM, before=[FIRST, SECOND]), input=MORE),
    "zh": replace(ask(TURNS[LAST], system=TURNS[SYSTEM], before=[TURNS[FIRST], TURNS[SECOND]]), input=TURNS[MORE]),
}
each_language = pytest.mark.parametrize("language", ["en", "zh"])


def teacher(change: dict[str, str] | None = None, verdict: object = YES):
    """Translates the turns above, with changes."""
    known = TURNS | BACK | (change or {})

    def say(body: Body) -> str:
        if asked_schema(body) == "sametask":
            return json.dumps(verdict)
        asked = texts(body)[1].rpartition("<request ")[2]
        said = next((theirs for ours, theirs in known.items() if ours in asked), "none")
        return said if said == "none" else json.dumps({"text": said}, ensure_ascii=False)

    return say


@each_language
async def test_every_turn_is_translated_and_the_original_stays(language: str, tmp_path: Path) -> None:
    record, other = RECORDS[language], RECORDS["zh" if language == "en" else "en"]
    done = await ran(Translated(languages=(language,)), [record], tmp_path, teacher())
    (made,) = done.made
    assert done.out[0] == record
    assert (made.messages, made.input, made.language) == (other.messages, other.input, other.language)
    assert made.lineage[-1].step == "translated/translate"
    assert made.derived_from == record.roots
    assert len(done.asked) == 6
    last = next(b for b in done.asked if record.instruction in texts(b)[1].rpartition("<request ")[2])
    assert all(m.content in texts(last)[1] for m in record.ask)


@each_language
async def test_a_translation_can_take_the_place_of_the_prompt(language: str, tmp_path: Path) -> None:
    given = [replace(RECORDS[language], input=""), ask("Why? 为什么不行呢", 5)]
    given[1] = replace(given[1], language="zh" if language == "en" else "en")
    done = await ran(Translated(languages=(language,), keep=False), given, tmp_path, teacher())
    assert done.reasons == ["used"]
    assert [r.made for r in done.out] == [True, False]
    assert done.out[1] == given[1]


LOST = {
    "language_changed": (LAST, LAST + " " + "and then again" * 9),
    "numbers_changed": (FIRST, "你好，我有 4 株玫瑰。"),
    "code_changed": (LAST, "是藤本的。什么时候修剪？请设置 season。"),
}


@pytest.mark.parametrize("reason", LOST)
async def test_a_translation_that_lost_something_is_dropped_and_the_prompt_stays(reason: str, tmp_path: Path) -> None:
    turn, said = LOST[reason]
    change = {turn: said} if reason != "language_changed" else {turn: turn, FIRST: FIRST, SECOND: SECOND, MORE: MORE}
    for keep in (True, False):
        done = await ran(Translated(keep=keep), [RECORDS["en"]], tmp_path / str(keep), teacher(change))
        assert done.reasons == [reason]
        assert done.out == [RECORDS["en"]]


@each_language
async def test_the_judge_compares_the_tasks(language: str, tmp_path: Path) -> None:
    verdict = YES | {"same_task": False, "reason": "on spelling"}
    done = await ran(Translated(languages=(language,)), [RECORDS[language]], tmp_path, teacher(verdict=verdict))
    assert [(r, d) for r, _, d in done.dropped] == [("meaning_changed", "on spelling")]


@each_language
async def test_one_turn_without_a_translation_leaves_the_prompt_as_it_is(language: str, tmp_path: Path) -> None:
    first = RECORDS[language].messages[1].content
    step = Translated(languages=(language,))
    done = await ran(step, [RECORDS[language]], tmp_path, teacher({first: "none"}))
    assert (done.out, done.tally.noted) == ([RECORDS[language]], {"unreadable_reply": 1})
    refused = scripted({f"\n{first}\n</request": [faults.refusal]})
    done = await ran(step, [RECORDS[language]], tmp_path / "b", teacher(), refused)
    assert (done.out, done.tally.noted) == ([RECORDS[language]], {"filtered": 1})


async def test_a_turn_without_words_is_not_asked_about(tmp_path: Path) -> None:
    record = ask(LAST, before=[FIRST, " "])
    done = await ran(Translated(), [record], tmp_path, teacher())
    assert [m.content for m in done.made[0].messages] == [TURNS[FIRST], "", TURNS[LAST]]
    assert len(done.asked) == 3


async def test_what_has_tools_or_is_badly_spelled_or_in_another_language_passes_by(tmp_path: Path) -> None:
    given = [
        replace(ask(LAST, 0), tools="[]"),
        ask(FIRST, 1, tags=(ROBUST,)),
        replace(ask("Pourquoi ?", 2), language="other"),
        ask(TURNS[LAST], 3),
    ]
    done = await ran(Translated(languages=("en", "other")), given, tmp_path)
    assert (done.out, done.asked) == (given, [])
    assert done.tally.noted == {"not_rewordable": 2}


async def test_what_the_task_is_about_may_stay_in_its_language(tmp_path: Path) -> None:
    sentence = "“他把钥匙落在了出租车上，第二天才想起来。”"
    record, said = (
        ask(f"把下面这句话翻译成英文：{sentence}"),
        f"Translate this Chinese sentence into English: {sentence}",
    )
    done = await ran(Translated(languages=("zh",)), [record], tmp_path, teacher({record.instruction: said}))
    assert [(r.instruction, r.language) for r in done.made] == [(said, "en")]
