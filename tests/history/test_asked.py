from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tasks.history.asked import Asked, near_keys, segment
from tasks.shard import write
from tests.rows import HOSTILE, answered, ask

HOUSE = "You are the assistant of a shop that sells lamps. Answer briefly and politely."
STORY = (
    "Tell me about the history of lighthouses in Brittany, in some detail please.",
    "They began with fires on hills.",
)


def likeness(one: str, other: str, **known) -> float:
    return Asked.of(ask(one, **known)).likeness(Asked.of(ask(other, **known)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I reset a wallet?", "  how do I  RESET a\nwallet? "),
        ("请问ＡＢＣ怎么读？", "请问abc怎么读?"),
        ("👍🏽 好的", "👍🏽　好的"),
    ],
)
def test_case_width_and_white_space_make_no_other_question(one: str, other: str):
    assert likeness(one, other) == 1.0


@pytest.mark.parametrize(("one", "other"), [("你好", "thx"), ("你好", "谢谢"), ("ok", "no"), ("你好", "hello there")])
def test_short_greetings_are_not_alike(one: str, other: str):
    assert likeness(one, other) == 0.0


def test_an_empty_ask_is_like_nothing():
    assert likeness("", "") == 0.0
    assert likeness("", "你好") == 0.0


def test_a_system_prompt_that_both_share_makes_two_questions_no_more_alike():
    bare = likeness("Where is my parcel?", "Do you sell red lamps?")
    assert likeness("Where is my parcel?", "Do you sell red lamps?", system=HOUSE * 20) == bare < 0.2


def test_one_question_under_two_system_prompts_is_two():
    plain, shop = Asked.of(ask("Where is my parcel?")), Asked.of(ask("Where is my parcel?", system=HOUSE))
    assert plain.likeness(shop) == 0.0
    assert shop.likeness(plain) == 0.0
    assert shop.likeness(Asked.of(ask("Where is my parcel?", system=HOUSE.upper() + " "))) == 1.0


TEXTS = ("The eel leaves the river in autumn and swims to the sea. " * 9, "鳗鱼秋天离开河流，游向大海产卵。" * 9)


@pytest.mark.parametrize("text", TEXTS)
def test_two_questions_about_one_text_are_two_and_one_about_two_texts_is_two(text: str):
    def of(question: str, passage: str = text) -> Asked:
        return Asked.of(ask(f"{passage}\n\n{question}", passage=passage))

    first = of("When does it leave? 它什么时候离开？")
    assert first.likeness(of("Which way is it going to? 游向哪里去了？")) < 0.3
    assert first.likeness(of("When does it leave? 它什么时候离开？", text + "x")) == 0.0
    assert first.likeness(of("when does it leave?  它什么时候离开？")) == 1.0
    assert Asked.of(ask(text, passage=text)).last


def test_a_question_that_was_made_of_a_text_without_it_is_known_by_its_words_alone():
    assert likeness("When does the eel leave?", "when does the eel leave?", passage=TEXTS[0]) == 1.0
    assert Asked.of(ask("When?", passage=TEXTS[0])).system == ""


@pytest.mark.parametrize(
    ("one", "other"), [("Who lit them at night?", "Who saw them by day?"), ("谁来点灯？", "谁来修路？")]
)
def test_turns_of_one_session_are_not_alike_for_their_shared_beginning(one: str, other: str):
    long = (*STORY, "请接着讲", *STORY[1:])
    assert likeness(one, other, before=long) == likeness(one, other) < 0.4


def test_one_last_turn_after_two_beginnings_is_two_questions():
    one = Asked.of(ask("继续", before=("给我讲讲灯塔的历史，越详细越好", "最早是山上的火堆。")))
    other = Asked.of(ask("继续", before=("用快速排序写一段代码并解释", "先选一个基准。")))
    assert one.likeness(other) < 0.2


def test_tools_and_input_are_part_of_what_is_asked():
    tools = '[{"name": "weather", "parameters": {"city": "string"}}]'
    assert Asked.of(ask("What now?", tools=tools)).likeness(Asked.of(ask("What now?"))) < 0.7
    assert (
        Asked.of(ask("翻译", input="山高月小，水落石出")).likeness(Asked.of(ask("翻译", input="落霞与孤鹜齐飞"))) < 0.7
    )


def test_hostile_text_is_like_itself_alone():
    assert [[likeness(one, other) >= 0.2 for other in HOSTILE] for one in HOSTILE] == np.eye(len(HOSTILE)).tolist()


def test_row_and_side_are_known_of_published_rows_only():
    record = answered(ask("写一首诗", split="test"), "床前明月光")
    assert Asked.of(record, "published").side == "test"
    assert Asked.of(record, "published").row_id == record.row_id
    gated = Asked.of(record, "gated:low_score")
    assert (gated.side, gated.row_id, gated.answer) == ("", "", "床前明月光")


def test_an_answer_does_not_change_which_prompt_it_is():
    record = ask("写一首诗", before=STORY)
    assert Asked.of(answered(record, "床前明月光")).prompt_id == Asked.of(record).prompt_id
    assert Asked.of(answered(record, "床前明月光")).likeness(Asked.of(record)) == 1.0


def test_a_segment_holds_no_text_that_is_published(tmp_path: Path):
    record = answered(ask("How do I Reset a WALLET?"), "Press the Red BUTTON.")
    write(segment([Asked.of(record, "published")]), tmp_path / "asked.parquet")
    stored = str(pq.read_table(tmp_path / "asked.parquet").to_pylist())
    assert "WALLET" not in stored
    assert "BUTTON" not in stored


def test_keys_lead_to_the_conversation_to_the_last_turn_and_to_the_very_words():
    story, other, alone, shop = near_keys(
        segment(
            [
                Asked.of(ask("Who lit them at night?", before=STORY)),
                Asked.of(
                    ask("Who lit them at night?", before=("给我讲讲灯塔的历史，越详细越好", "最早是山上的火堆。"))
                ),
                Asked.of(ask("Who lit them at night?")),
                Asked.of(ask("Who lit them at night?", system=HOUSE)),
            ]
        )
    ).tolist()
    assert {*story} & {*other} - {0} == {*story} & {*alone} - {0} != set()
    assert {*alone} & {*shop} == {0}, "another system prompt shares no key"
    assert alone.count(0) == 21, "one text is not there twice"
    assert len({story[-1], other[-1], alone[-1], shop[-1]}) == 4


def test_a_prompt_without_a_last_turn_has_no_keys():
    assert set(near_keys(segment([Asked.of(ask("", before=STORY)), Asked.of(ask(""))])).flatten().tolist()) == {0}
