import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.produce.decompose import Decompose
from tasks.prompt import load
from tasks.record import ROBUST, Record
from tasks.teacher.protocol import asked_schema, texts
from tests import faults
from tests.faults import Body, asked
from tests.produce.scripted import Ran, ran
from tests.rows import HOSTILE, ask

PROMPT = {
    "en": "Write a ten-chapter novel about a lighthouse, a debt and two sisters.",
    "zh": "写一部十万字的重生小说，要有父母偏心、女主高考状元、弟弟的彩礼。",
}
FIRST = {
    "en": "Give me the outline of a novel about a lighthouse, a debt and two sisters.",
    "zh": "请列一份重生小说的大纲，要有父母偏心、女主高考状元、弟弟的彩礼。",
}
OUTLINE = {"en": "1. The debt\n2. The lamp", "zh": "一、醒来\n二、放榜"}
REQUESTS = {"en": ["Write part one, the debt.", "Now the lamp."], "zh": ["写第一部分“醒来”。", "接着写“放榜”。"]}
PARTS = {
    "en": ["The letter came on a Tuesday.", "Nobody lit the lamp."],
    "zh": ["她又回到了那年夏天。", "榜贴出来了。"],
}
each_language = pytest.mark.parametrize("language", ["en", "zh"])


def teacher(language: str, split: Any = None, outline: Any = None):
    """Takes the prompt apart as above, or says what it is told to."""
    said = {
        "split": split or {"reason": "long", "too_much": True, "outline_request": f" {FIRST[language]}\n"},
        "outline": outline or {"outline": OUTLINE[language], "requests": REQUESTS[language]},
    }

    def say(body: Body) -> str:
        if not asked_schema(body):
            return f"\n{PARTS[language][REQUESTS[language].index(texts(body)[-1])]}\n"
        reply = said[asked_schema(body)]
        return reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False)

    return say


async def taken_apart(language: str, folder: Path, step: Decompose | None = None, **said: Any) -> Ran:
    return await ran(step or Decompose(), [ask(PROMPT[language])], folder, teacher(language, **said), licence="mit")


def asks(row: Record) -> list[str]:
    return [m.content for m in row.ask]


@each_language
async def test_a_prompt_that_is_too_much_becomes_an_outline_and_its_parts(language: str, tmp_path: Path) -> None:
    done = await taken_apart(language, tmp_path)
    assert done.reasons == ["used"]
    assert [r.response for r in done.out] == [OUTLINE[language], *PARTS[language]]
    first, second = (
        [FIRST[language], OUTLINE[language], REQUESTS[language][0]],
        [PARTS[language][0], REQUESTS[language][1]],
    )
    assert [asks(r) for r in done.out] == [first[:1], first, first + second]
    assert [[m.trained for m in r.messages] for r in done.out] == [[False] * n + [True] for n in (1, 3, 5)]
    assert {(r.teacher, r.licence, r.language, r.kind) for r in done.out} == {("m-1", "mit", language, "rows")}
    steps = [r.lineage[-1].step for r in done.out]
    assert steps == ["decompose/outline", "decompose/part", "decompose/part"]
    assert len({r.roots for r in done.out}) == 3
    assert len({r.conversation for r in done.out}) == 1
    assert all(r.derived_from == ("l-00000",) for r in done.out)


@each_language
@pytest.mark.parametrize(("publish", "many"), [("whole", 1), ("both", 4)])
async def test_the_prompt_itself_can_be_kept_with_all_parts_as_its_answer(
    publish: Any, many: int, language: str, tmp_path: Path
) -> None:
    done = await taken_apart(language, tmp_path, Decompose(publish=publish))
    assert (len(done.out), done.dropped) == (many, [])
    whole = done.out[0]
    assert whole.ask == ask(PROMPT[language]).messages
    assert whole.response == "\n\n".join(PARTS[language])
    assert (whole.roots, whole.teacher, whole.licence) == (("l-00000",), "m-1", "mit")
    assert len(whole.lineage[-1].parents) == 3


@each_language
async def test_what_a_model_says_around_a_part_is_no_part_of_the_whole(language: str, tmp_path: Path) -> None:
    before, after = {
        "en": ("Sure! Here is the part:", "Shall I go on?"),
        "zh": ("好的，以下是正文：", "需要我继续写吗？"),
    }[language]

    def chatty(body: Body) -> str:
        said = teacher(language)(body)
        return said if asked_schema(body) else f"{before}\n{said}\n{after}"

    done = await ran(Decompose(publish="both"), [ask(PROMPT[language])], tmp_path, chatty)
    assert [r.response for r in done.out] == ["\n\n".join(PARTS[language]), OUTLINE[language], *PARTS[language]]


@each_language
async def test_what_is_sent_tells_the_goal_and_what_is_published_does_not(language: str, tmp_path: Path) -> None:
    done = await taken_apart(language, tmp_path)
    split, outline, one, two = done.asked
    assert PROMPT[language] in texts(split)[1]
    assert PROMPT[language] in texts(outline)[0]
    assert texts(outline)[1] == FIRST[language]
    assert texts(one)[0] == load("decompose/part", language).turns[0].content
    assert [m["role"] for m in two["messages"]] == ["system", "user", "assistant", "user", "assistant", "user"]
    published = json.dumps([r.row() for r in done.out], ensure_ascii=False, default=str)
    assert PROMPT[language] not in published
    assert texts(one)[0] not in published


@each_language
async def test_a_prompt_that_one_reply_answers_goes_on_as_it_is(language: str, tmp_path: Path) -> None:
    easy = {"reason": "a page", "too_much": False, "outline_request": ""}
    blank = {"reason": "long", "too_much": True, "outline_request": " "}
    for number, split in enumerate((easy, blank)):
        done = await taken_apart(language, tmp_path / str(number), split=split)
        assert (done.out, done.dropped, len(done.asked)) == ([ask(PROMPT[language])], [], 1)
    done = await taken_apart(language, tmp_path / "no", split="I think so.")
    assert (done.out, done.tally.noted) == ([ask(PROMPT[language])], {"unreadable_reply": 1})


@each_language
@pytest.mark.parametrize(
    "outline",
    [
        "1. The debt",
        {"outline": " ", "requests": ["a", "b"]},
        {"outline": "1.", "requests": ["a", " "]},
        {"outline": "1.", "requests": ["a"]},
        {"outline": "1.", "requests": ["a"] * 9},
    ],
)
async def test_a_prompt_whose_outline_cannot_be_followed_goes_on_as_it_is_and_is_counted(
    outline: Any, language: str, tmp_path: Path
) -> None:
    done = await taken_apart(language, tmp_path, outline=outline)
    assert (done.out, done.dropped) == ([ask(PROMPT[language])], [])
    assert done.tally.noted == {"badly_outlined": 1}


@each_language
@pytest.mark.parametrize(("publish", "many"), [("parts", 2), ("both", 2), ("whole", 0)])
async def test_a_part_without_an_answer_ends_the_prompt_and_what_was_made_stays(
    publish: Any, many: int, language: str, tmp_path: Path
) -> None:
    script = asked({REQUESTS[language][1]: [faults.cut_at_limit] * 9})
    done = await ran(Decompose(publish=publish), [ask(PROMPT[language])], tmp_path, teacher(language), script)
    assert done.dropped == [("unfinished", PROMPT[language], "part 2: truncated")]
    assert len(done.out) == many


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_prompts_stay_between_marks(text: str, tmp_path: Path) -> None:
    done = await ran(Decompose(), [ask(f"{PROMPT['en']} {text}")], tmp_path, teacher("en"))
    assert text in texts(done.asked[0])[1]
    assert text not in texts(done.asked[0])[0]
    assert len(done.out) == 3


async def test_earlier_turns_and_the_system_turn_stay_in_front(tmp_path: Path) -> None:
    record = ask(PROMPT["zh"], system="你是编辑。", before=["你好", "你好，想写什么？"])
    done = await ran(Decompose(), [record], tmp_path, teacher("zh"))
    assert asks(done.out[0]) == ["你是编辑。", "你好", "你好，想写什么？", FIRST["zh"]]
    assert [m["role"] for m in done.asked[1]["messages"]] == ["system", "user", "assistant", "user"]


async def test_what_has_an_input_or_tools_or_is_badly_spelled_passes_by(tmp_path: Path) -> None:
    given = [
        replace(ask(PROMPT["en"], 0), input="x"),
        replace(ask(PROMPT["zh"], 1), tools="[]"),
        ask(PROMPT["en"], 2, tags=(ROBUST,)),
    ]
    done = await ran(Decompose(), given, tmp_path)
    assert (done.out, done.asked) == (given, [])
