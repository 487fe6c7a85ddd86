import json
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.produce.round_trip import RoundTrip
from tasks.prompt import load
from tasks.record import ROBUST
from tasks.teacher.protocol import asked_schema, texts
from tests import faults
from tests.faults import Body, asked
from tests.produce.scripted import ran
from tests.rows import ask

EN = "Explain in 3 sentences why the tide comes twice a day."
ZH = "用三句话解释为什么一天有两次涨潮。"
HOME = {
    "en": "In 3 sentences, what is the reason that high water arrives two times each day?",
    "zh": "一天会涨两回潮，原因何在？请在三句话里讲清楚。",
}
FAR = {"en": ZH, "zh": EN.replace("3", "three")}
YES = {"reason": "the same", "is_request": True, "same_task": True}
each_language = pytest.mark.parametrize(("language", "text"), [("en", EN), ("zh", ZH)])


def teacher(language: str, home: str = "", far: str = "", verdict: object = YES):
    """Says `far` when it is asked to translate the prompt, and `home` on the way back."""

    def say(body: Body) -> str:
        if asked_schema(body) == "sametask":
            return json.dumps(verdict)
        there = load("round_trip/there", language).turns[0].content.strip() in texts(body)[0]
        said = (far or FAR[language]) if there else home or HOME[language]
        return said if said == "none" else json.dumps({"text": said}, ensure_ascii=False)

    return say


@each_language
async def test_a_prompt_comes_back_in_other_words_by_two_endpoints(language: str, text: str, tmp_path: Path) -> None:
    record = ask(text)
    done = await ran(RoundTrip(back_by="second"), [record], tmp_path, teacher(language))
    (made,) = done.made
    assert done.out[0] == record
    assert (made.instruction, made.language) == (HOME[language], language)
    there, back = made.lineage[-2:]
    assert (there.step, there.detail) == ("round_trip/there", FAR[language])
    assert (back.step, back.parents) == ("round_trip/back", (record.prompt_id,))
    assert FAR[language] in texts(done.asked[1])[1]
    assert text not in texts(done.asked[1])[1]
    assert len(done.asked) == 3


def test_both_endpoints_and_the_judge_are_part_of_what_it_depends_on() -> None:
    assert RoundTrip(back_by="second").asks == ("teacher", "second", "judge")


@each_language
@pytest.mark.parametrize(
    ("home", "reason"),
    [("{other}", "language_changed"), ("{text} 9", "numbers_changed"), ("{text}", "unchanged")],
)
async def test_what_came_back_is_held_against_the_prompt(
    home: str, reason: str, language: str, text: str, tmp_path: Path
) -> None:
    back = home.format(other=FAR[language], text=text)
    done = await ran(RoundTrip(), [ask(text)], tmp_path, teacher(language, back))
    assert done.reasons == [reason]
    assert done.out == [ask(text)]


@each_language
async def test_the_judge_has_the_last_word(language: str, text: str, tmp_path: Path) -> None:
    verdict = YES | {"same_task": False, "reason": "once"}
    done = await ran(RoundTrip(), [ask(text)], tmp_path, teacher(language, verdict=verdict))
    assert done.dropped == [("meaning_changed", HOME[language], "once")]


@each_language
@pytest.mark.parametrize(("what", "noted"), [("far", "unreadable_reply"), ("home", "unreadable_reply")])
async def test_a_way_that_gives_nothing_leaves_the_prompt(
    what: str, noted: str, language: str, text: str, tmp_path: Path
) -> None:
    done = await ran(RoundTrip(), [ask(text)], tmp_path, teacher(language, **{what: "none"}))
    assert (done.out, done.dropped, done.tally.noted) == ([ask(text)], [], {noted: 1})


@each_language
async def test_an_unanswered_question_leaves_the_prompt(language: str, text: str, tmp_path: Path) -> None:
    done = await ran(RoundTrip(), [ask(text)], tmp_path, teacher(language), asked({text: [faults.refusal]}))
    assert (done.out, done.tally.noted) == ([ask(text)], {"filtered": 1})


@each_language
async def test_a_prompt_that_was_not_translated_does_not_go_back(language: str, text: str, tmp_path: Path) -> None:
    done = await ran(RoundTrip(), [ask(text)], tmp_path, teacher(language, far=text))
    assert (done.tally.noted, len(done.asked)) == ({"not_translated": 1}, 1)


async def test_badly_spelled_prompts_and_other_languages_pass_by(tmp_path: Path) -> None:
    given = [ask(ZH, tags=(ROBUST,)), replace(ask("Pourquoi la mer est-elle salée ?", 1), language="other")]
    done = await ran(RoundTrip(), given, tmp_path)
    assert (done.out, done.asked) == (given, [])


async def test_a_prompt_that_quotes_what_is_to_be_translated_makes_the_way_too(tmp_path: Path) -> None:
    sentence = "“他把钥匙落在了出租车上，第二天才想起来。”"
    far, home = f"Please translate this sentence into English: {sentence}", f"{sentence}这句话用英文该怎么讲？"
    done = await ran(
        RoundTrip(), [ask(f"把下面这句话翻译成英文：{sentence}")], tmp_path, teacher("zh", home=home, far=far)
    )
    assert [r.instruction for r in done.made] == [home]
