import json
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.produce.rewording import band, earlier, fault, new_words, rewordable, spoken
from tasks.produce.rewrite_forms import RewriteForms, read_voices
from tasks.recipe import RecipeError
from tasks.record import ROBUST, Message
from tasks.teacher.protocol import asked_schema, texts
from tests import faults
from tests.faults import Body, asked
from tests.produce.scripted import ran
from tests.rows import HOSTILE, ask

EN = "Write a 200-word letter to “Blue Gate” about the late delivery, and keep `order_id` in it."
ZH = "给“蓝门”写一封200字的信，说明送货晚了，信里保留 `order_id`。"
GOOD = {
    "en": "My parcel came late. Could you put a letter together, two hundred words, for “Blue Gate”, with `order_id`?",
    "zh": "包裹迟到了，想请您替我拟封信寄给“蓝门”，二百字，别漏了 `order_id`，好吗？",
}
YES = {"reason": "the same", "is_request": True, "same_task": True}
BAD = {
    "language_changed": {"en": GOOD["zh"], "zh": GOOD["en"]},
    "numbers_changed": {"en": GOOD["en"].replace("two hundred", "300"), "zh": GOOD["zh"].replace("二百", "300")},
    "quote_changed": {"en": GOOD["en"].replace("Blue Gate", "Red Gate"), "zh": GOOD["zh"].replace("蓝门", "红门")},
    "code_changed": {"en": GOOD["en"].replace("`order_id`", "it"), "zh": GOOD["zh"].replace("`order_id`", "它")},
    "unchanged": {"en": EN.replace("Write", "Please write"), "zh": "请" + ZH},
}
VERDICTS = {
    "meaning_changed": YES | {"reason": "no limit any more", "same_task": False},
    "answered_instead": YES | {"reason": "it is a letter", "is_request": False},
}
each_language = pytest.mark.parametrize(("language", "text"), [("en", EN), ("zh", ZH)])


def teacher(text: str, verdict: object = YES):
    """Rewords everything to this text, and judges everything in this way."""

    def say(body: Body) -> str:
        said = {"reworded": {"text": text}, "sametask": verdict}[asked_schema(body)]
        return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)

    return say


@each_language
async def test_a_prompt_is_kept_and_beside_it_what_others_would_say(language: str, text: str, tmp_path: Path) -> None:
    record = ask(text)
    done = await ran(RewriteForms(per_record=1), [record], tmp_path, teacher(f" {GOOD[language]}\n"), licence="mit")
    assert done.out[0] == record
    (made,) = done.made
    assert made.instruction == GOOD[language]
    assert (made.language, made.derived_from, made.kind) == (language, record.roots, "prompts")
    stamp = made.lineage[-1]
    assert (stamp.step, stamp.parents, stamp.model) == ("rewrite_forms/rewrite", (record.prompt_id,), "m-1")
    assert stamp.detail in read_voices("data/voices.yaml")
    assert done.tally.noted == {"new_words_over_75": 1}
    rewrite, judge = done.asked
    assert read_voices("data/voices.yaml")[stamp.detail][language] in texts(rewrite)[0]
    assert text in texts(rewrite)[1]
    assert text in texts(judge)[1]
    assert GOOD[language] in texts(judge)[1]


@each_language
@pytest.mark.parametrize("reason", BAD)
async def test_what_code_finds_wrong_is_dropped_and_no_judge_is_asked(
    reason: str, language: str, text: str, tmp_path: Path
) -> None:
    done = await ran(RewriteForms(per_record=1), [ask(text)], tmp_path, teacher(BAD[reason][language]))
    assert done.reasons == [reason]
    assert done.out == [ask(text)]
    assert [asked_schema(body) for body in done.asked] == ["reworded"]


@pytest.mark.parametrize(
    ("after", "reasons"),
    [
        ("包裹来晚了，想请您帮我拟一封信去问问原因，好吗？", ["script_changed"]),
        ("包裹來晚了，想請您幫我擬一封信去問問原因，好嗎？", []),
    ],
)
async def test_who_writes_traditional_characters_is_not_reworded_in_simplified_ones(
    after: str, reasons: list[str], tmp_path: Path
) -> None:
    done = await ran(RewriteForms(per_record=1), [ask("請寫一封信，說明送貨遲了。")], tmp_path, teacher(after))
    assert done.reasons == reasons
    assert len(done.made) == 1 - len(reasons)


@each_language
@pytest.mark.parametrize("reason", VERDICTS)
async def test_what_the_judge_finds_wrong_is_dropped_with_why(
    reason: str, language: str, text: str, tmp_path: Path
) -> None:
    done = await ran(RewriteForms(per_record=1), [ask(text)], tmp_path, teacher(GOOD[language], VERDICTS[reason]))
    assert done.dropped == [(reason, GOOD[language], VERDICTS[reason]["reason"])]
    assert not done.made


@each_language
async def test_a_verdict_that_cannot_be_read_is_none(language: str, text: str, tmp_path: Path) -> None:
    done = await ran(RewriteForms(per_record=1), [ask(text)], tmp_path, teacher(GOOD[language], "yes, surely"))
    assert done.reasons == ["unjudged"]


@each_language
async def test_a_reply_that_is_none_is_counted_and_leaves_the_prompt(language: str, text: str, tmp_path: Path) -> None:
    done = await ran(RewriteForms(per_record=2), [ask(text)], tmp_path, lambda _: "I would rather not.")
    assert (done.out, done.dropped) == ([ask(text)], [])
    assert done.tally.noted == {"unreadable_reply": 2}
    words = {text: [faults.refusal] * 9}
    done = await ran(RewriteForms(per_record=2), [ask(text)], tmp_path / "b", teacher(GOOD[language]), asked(words))
    assert done.tally.noted == {"filtered": 2}


async def test_voices_are_drawn_by_the_record_and_two_that_say_the_same_are_one(tmp_path: Path) -> None:
    given = [ask(EN), ask(ZH), ask(EN + " Today.")]

    def say(body: Body) -> str:
        return teacher(GOOD["zh" if "标记" in texts(body)[0] else "en"])(body)

    one = await ran(RewriteForms(per_record=4), given, tmp_path / "one", say)
    two = await ran(RewriteForms(per_record=4), given[::-1], tmp_path / "two", say)
    assert len(one.made) == len(two.made) == 3
    assert {r.roots: r.lineage for r in one.made} == {r.roots: r.lineage for r in two.made}
    assert sum(asked_schema(b) == "reworded" for b in one.asked) == 12


@each_language
async def test_the_turns_before_are_shown_and_stay(language: str, text: str, tmp_path: Path) -> None:
    record = ask(text, before=["早 hello", "在的 yes"], system="温和 gentle")
    done = await ran(
        RewriteForms(per_record=1), [replace(record, input="材料 material")], tmp_path, teacher(GOOD[language])
    )
    (made,) = done.made
    assert made.messages[:-1] == record.messages[:-1]
    assert made.input == "材料 material"
    sent = texts(done.asked[0])[1]
    assert all(said in sent for said in ("温和 gentle", "早 hello", "在的 yes", "材料 material"))


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_stays_between_its_marks(text: str, tmp_path: Path) -> None:
    plain, hostile = ask(EN), ask(f"{EN} {text}")
    done = await ran(RewriteForms(per_record=1), [hostile], tmp_path, teacher(GOOD["en"]))
    system, user = texts(done.asked[0])
    assert text in user
    assert text not in system
    assert done.tally.seen == 1
    assert plain.prompt_id != hostile.prompt_id


def test_a_badly_spelled_prompt_and_one_that_no_user_ends_are_not_reworded() -> None:
    assert rewordable(ask(EN))
    assert not rewordable(ask(EN, tags=(ROBUST,)))
    assert not rewordable(replace(ask(EN), messages=(*ask(EN).messages, Message("tool", "{}"))))


async def test_a_badly_spelled_prompt_passes_by(tmp_path: Path) -> None:
    record = ask(EN, tags=(ROBUST,))
    done = await ran(RewriteForms(), [record], tmp_path)
    assert (done.out, done.asked) == ([record], [])
    assert done.tally.noted == {"not_rewordable": 1}


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [
        ("a b c d", "a b c d", 0.0),
        ("a b c d", "A  b c D", 0.0),
        ("a b c d", "x a b y", 2 / 3),
        ("今天天气好", "今天很热吗", 0.75),
        ("hello", "hello", 0.0),
        ("hello", "bye", 1.0),
        ('a b: "one two three"', 'c d e: "one two three"', 1.0),
        ("译成英文：“他忘了钥匙。”", "“他忘了钥匙。”这句英文怎么说", 5 / 6),
        ("hello", "", 1.0),
    ],
)
def test_new_words_are_pairs_of_neighbours_that_were_not_there(before: str, after: str, share: float) -> None:
    assert new_words(before, after) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Please translate this into English: “他把钥匙落在了出租车上，第二天才想起来。”", "en"),
        ('把这段话压缩成一句话："The meeting that was planned for Tuesday had to be moved to Thursday."', "zh"),
        ("“他把钥匙落在了出租车上。”", "zh"),
        ('Condense to a single-sentence précis: "The meeting planned for Tuesday was moved to Thursday."', "en"),
        ("`git rebase --onto main feature~3 feature` 这条命令是干什么的？", "zh"),
    ],
)
def test_the_language_of_a_request_is_that_of_its_own_words_and_not_of_what_it_quotes(text: str, language: str) -> None:
    assert spoken(text) == language


TRANSLATE = "把下面这句话翻译成英文：“他把钥匙落在了出租车上，第二天才想起来。”"
SHORTEN = (
    'Shorten this: "The meeting that was planned for Tuesday had to be moved to Thursday, as the projector is broken."'
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TRANSLATE, "“他把钥匙落在了出租车上，第二天才想起来。”用英文该怎么说呀？"),
        (SHORTEN, SHORTEN.replace("Shorten this", "hey, can you squeeze a sentence for me")),
    ],
)
async def test_a_prompt_with_a_long_quote_can_be_reworded_too(before: str, after: str, tmp_path: Path) -> None:
    done = await ran(RewriteForms(per_record=1), [ask(before)], tmp_path, teacher(after))
    assert [r.instruction for r in done.made] == [after]


@pytest.mark.parametrize(("share", "said"), [(0, "under_25"), (0.25, "25_to_50"), (0.5, "50_to_75"), (1, "over_75")])
def test_shares_are_counted_in_four_bands(share: float, said: str) -> None:
    assert band(share) == f"new_words_{said}"


def test_nothing_stands_around_a_lone_question() -> None:
    assert earlier(ask(EN)) == ""
    assert fault(EN, GOOD["en"], "en") is None


@pytest.mark.parametrize(
    "text", ["", "[]", "a: b", "teacher: {en: a teacher}", "teacher: {en: a, zh: ''}", "{", "teacher: [1]"]
)
def test_a_file_of_voices_that_cannot_be_used_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "voices.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(RecipeError, match="is no file of voices"):
        read_voices(str(file))


def test_every_voice_is_described_in_both_languages() -> None:
    voices = read_voices("data/voices.yaml")
    assert len(voices) >= 12
    assert all(set(said) == {"en", "zh"} for said in voices.values())
