from pathlib import Path
from random import Random

import numpy as np
import pyarrow.parquet as pq
import pytest

from tasks.history.asked import ASKED, NOTHING, Asked, Past, across, segment
from tasks.history.near import BUCKET_CAP, FORMAT, bands
from tasks.shard import write
from tests.rows import HOSTILE, answered, ask, edited, past, said

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


@pytest.mark.parametrize("seed", range(2))
def test_segments_come_back_from_parquet_as_they_went(tmp_path: Path, seed: int):
    dice = Random(seed)
    made = [
        Asked.of(answered(ask(said(dice, 8), i, conversation=f"c-{i}"), said(dice, 5)), "published") for i in range(30)
    ]
    made += [Asked.of(ask(t, system=HOUSE), "dropped") for t in HOSTILE]
    back = past(tmp_path, made[:10], [], made[10:11], made[11:])
    assert back.rows == made
    assert back.bands.tolist() == bands([a.turns for a in made]).tolist()
    assert all(t.schema.equals(ASKED) and t.schema.metadata == ASKED.metadata for t in back.tables)


def test_an_empty_past_has_no_rows_and_no_bands(tmp_path: Path):
    assert NOTHING.rows == []
    assert NOTHING.bands.shape == past(tmp_path, []).bands.shape == (0, 21)
    assert NOTHING.neighbours([], 0.5) == []
    empty = write(segment([]), tmp_path / "empty.parquet")
    assert Past((empty,)).neighbours([Asked.of(ask("a question"))], 0.5) == [[]]


def test_a_segment_of_another_format_is_signed_anew(tmp_path: Path):
    one = Asked.of(ask("How do I reset a wallet?"), "published")
    stale = segment([one]).set_column(
        ASKED.get_field_index("bands"), ASKED.field("bands"), segment([Asked.of(ask("其他问题"))]).column("bands")
    )
    old = write(stale.replace_schema_metadata({"near_format": str(FORMAT - 1)}), tmp_path / "old.parquet")
    # Edited, as the very same words would be found without bands.
    assert [len(near) for near in Past((old,)).neighbours([Asked.of(ask("How do I reset a wallet??"))], 0.7)] == [1]


def test_the_settings_line_names_the_past_by_its_bytes_not_by_its_place(tmp_path: Path):
    made = [Asked.of(ask("一个问题"))]
    here, there = past(tmp_path / "a", made), past(tmp_path / "b", made)
    assert repr(here) == repr(there) != repr(NOTHING)
    assert here.segments[0].sha256 in repr(here)


def test_neighbours_count_the_past_first_and_hold_to_the_floor(tmp_path: Path):
    texts = ["please explain how a lighthouse works in fog", "请解释灯塔在雾中如何工作"]
    back = past(tmp_path, [Asked.of(ask(t)) for t in texts])
    new = [Asked.of(ask(t)) for t in (texts[1], texts[0] + "!", "nothing of the kind", texts[1])]
    assert [[j for _, j in near] for near in back.neighbours(new, 0.9)] == [[1], [0], [], [1, 2]]
    assert back.neighbours(new, 1.0)[1] == []


def test_the_same_prompt_is_found_however_many_share_its_beginning(tmp_path: Path):
    # One long declaration of tools makes nearly all bands of all these prompts equal, and the buckets crowded.
    dice = Random(3)
    letters = "abcdefghijklmnopqrstuvwxyz "
    tools = "".join(dice.choices(letters, k=3000))
    wanted = ["".join(dice.choices(letters, k=20)) for _ in range(BUCKET_CAP + 60)]
    asked = [Asked.of(ask(t, tools=tools)) for t in wanted]
    again = Past().neighbours([*asked, *asked[-60:]], 0.99)
    assert all(any(like == 1.0 for like, _ in near) for near in again[len(asked) :])


def test_an_edited_prompt_is_found_in_the_past(tmp_path: Path):
    dice = Random(4)
    made = [said(dice, 60) for _ in range(80)]
    back = past(tmp_path, [Asked.of(ask(t)) for t in made])
    found = back.neighbours([Asked.of(ask(edited(dice, t, 1))) for t in made], 0.7)
    assert np.mean([i in {j for _, j in near} for i, near in enumerate(found)]) > 0.95


def test_a_segment_holds_no_text_that_is_published(tmp_path: Path):
    record = answered(ask("How do I Reset a WALLET?"), "Press the Red BUTTON.")
    write(segment([Asked.of(record, "published")]), tmp_path / "asked.parquet")
    stored = str(pq.read_table(tmp_path / "asked.parquet").to_pylist())
    assert "WALLET" not in stored
    assert "BUTTON" not in stored


def test_pairs_across_two_lists_are_those_of_one_and_the_other_alone():
    text = "请用几句话给我讲清楚悬索桥是怎样把桥面的重量传到两岸的"
    old = [Asked.of(ask(t)) for t in ("What do zebras eat in winter?", text)]
    new = [Asked.of(ask(t)) for t in (text + "呢", "Which lamp is best?", text, "Which lamp is best??")]
    assert [(j, i) for _, j, i in across(old, new, 0.7)] == [(1, 0), (1, 2)]
    assert across(old, [], 0.7) == across([], new, 0.7) == []


def test_the_same_words_are_found_across_lists_where_buckets_are_full():
    begun = "The same long beginning of a request that everybody in this company sends, " * 8
    old = [Asked.of(ask(f"{begun}{i:04d}")) for i in range(BUCKET_CAP + 5)]
    assert (1.0, BUCKET_CAP + 4, 0) in across(old, [old[-1]], 0.9)
