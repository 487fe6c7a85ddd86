"""What stands near a prompt, in the past as it is on disk and among new prompts."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from tasks.history.asked import Asked, segment
from tasks.history.fresh import Fresh
from tasks.history.past import CAP, NOTHING, Neighbours, Past, across
from tasks.shard import write
from tests.rows import HOSTILE, answered, ask, edited, past, said

HOUSE = "You are the assistant of a shop that sells lamps. Answer briefly and politely."
LETTERS = "abcdefghijklmnopqrstuvwxyz "
QUESTION = "请用几句话给我讲清楚悬索桥是怎样把桥面的重量传到两岸的"
BEGUN = "The same long beginning of a request that everybody in this company sends, " * 8


def found(before: Past, new: list[Asked], floor: float) -> list[list[int]]:
    """The numbers of the neighbours of each prompt, where all of them are kept."""
    near, numbers = Neighbours(before, Fresh.of(new), floor), []
    for i in range(len(new)):
        numbers.append([n.number for n in near.of(i)])
        near.keep(i)
    return numbers


def crowd(dice: Random, count: int) -> list[Asked]:
    """Prompts that one long declaration of tools makes all but one conversation; their last turns are far apart."""
    tools = "".join(dice.choices(LETTERS, k=3000))
    return [Asked.of(ask("".join(dice.choices(LETTERS, k=40)), tools=tools)) for _ in range(count)]


@pytest.mark.parametrize("seed", range(2))
def test_rows_come_back_from_disk_as_they_went(tmp_path: Path, seed: int):
    dice = Random(seed)
    made = [
        Asked.of(answered(ask(said(dice, 8), i, conversation=f"c-{i}"), said(dice, 5)), "published") for i in range(30)
    ]
    made += [Asked.of(ask(t, system=HOUSE), "dropped") for t in HOSTILE]
    back = past(tmp_path, made[:10], [], made[10:11], made[11:])
    assert [back.row(n) for n in range(back.size)] == made
    assert back.published == 30


def test_an_empty_past_has_no_rows_and_no_neighbours(tmp_path: Path):
    empty = Past((write(segment([]), tmp_path / "empty.parquet"),), tmp_path / "index")
    for nothing in (NOTHING, past(tmp_path, []), empty):
        assert (nothing.size, nothing.published, nothing.having("answer", ["yes"]).num_rows) == (0, 0, 0)
        assert found(nothing, [Asked.of(ask("a question"))], 0.5) == [[]]
    assert found(NOTHING, [], 0.5) == []


def test_the_settings_line_names_the_past_by_its_bytes_not_by_its_place(tmp_path: Path):
    made = [Asked.of(ask("一个问题"))]
    here, there = past(tmp_path / "a", made), past(tmp_path / "b", made)
    assert repr(here) == repr(there) != repr(NOTHING)
    assert here.segments[0].sha256 in repr(here)


def test_neighbours_count_the_past_first_and_hold_to_the_floor(tmp_path: Path):
    texts = ["please explain how a lighthouse works in fog", "请解释灯塔在雾中如何工作"]
    back = past(tmp_path, [Asked.of(ask(texts[0]))], [Asked.of(ask(texts[1]))])
    new = [Asked.of(ask(t)) for t in (texts[1], texts[0] + "!", "nothing of the kind", texts[1])]
    assert found(back, new, 0.9) == [[1], [0], [], [1, 2]]
    assert found(back, new, 1.0)[1] == []


def test_only_what_was_kept_stands_before_a_prompt():
    near = Neighbours(NOTHING, Fresh.of(Asked.of(ask(QUESTION + "呢" * n)) for n in range(4)), 0.7)
    assert near.keep(1) == 1
    assert [(n.number, n.asked) for n in near.of(3)] == [(1, near.new[1])]
    assert near.noted == {"compared": 1, "crowded": 0}


def test_an_edited_prompt_is_found_in_the_past(tmp_path: Path):
    dice = Random(4)
    made = [said(dice, 60) for _ in range(80)]
    back = past(tmp_path, [Asked.of(ask(t)) for t in made])
    hits = found(back, [Asked.of(ask(edited(dice, t, 1))) for t in made], 0.7)
    assert np.mean([i in near for i, near in enumerate(hits)]) > 0.95


@pytest.mark.parametrize("floor", [0.7, 0.8])
def test_neighbours_are_nearly_all_that_brute_force_finds_and_no_others(tmp_path: Path, floor: float):
    dice = Random(12)
    made: list[Asked] = []
    for _ in range(50):
        base, begun = said(dice, dice.randint(25, 60)), (said(dice, 30), said(dice, 30)) * dice.randrange(2)
        made += [Asked.of(ask(edited(dice, base, n), before=begun)) for n in (0, 1, 2, 4, 6)]
    dice.shuffle(made)
    hits = found(past(tmp_path, made[:70], made[70:100]), made[100:], floor)
    pairs = {(i, j) for i, near in enumerate(hits, 100) for j in near}
    brute = {(i, j) for i in range(100, len(made)) for j in range(i) if made[i].likeness(made[j]) >= floor}
    assert pairs <= brute
    assert len(pairs) > 0.97 * len(brute) > 100


def test_an_edited_last_turn_is_found_behind_a_crowd_that_shares_its_beginning(tmp_path: Path):
    dice = Random(3)
    asked = crowd(dice, CAP + 60)
    back = past(tmp_path, asked[:100], asked[100:])
    again = [Asked(**{n: getattr(a, n) for n in Asked.__slots__} | {"last": a.last[:-1] + "#"}) for a in asked[-60:]]
    assert found(back, again, 0.9) == [[n] for n in range(CAP, CAP + 60)]


def test_the_very_words_are_found_where_every_bucket_is_full():
    asked = [Asked.of(ask(f"{BEGUN}{i:04d}")) for i in range(CAP + 60)]
    assert all(CAP + i in near for i, near in enumerate(found(NOTHING, [*asked, *asked[CAP:]], 0.99)[CAP + 60 :]))


def test_a_bucket_that_holds_more_than_is_compared_is_counted(tmp_path: Path):
    asked = [Asked.of(ask(f"{BEGUN}{i:04d}")) for i in range(CAP + 60)]
    for before, new in ((NOTHING, asked), (past(tmp_path, asked[:90], asked[90:-9]), asked[-9:])):
        near = Neighbours(before, Fresh.of(new), 0.999)
        for i in range(len(new)):
            assert near.of(i) == []
            near.keep(i)
        assert 0 < near.crowded < 60
        assert near.compared >= CAP


def test_published_rows_are_found_by_their_answer_and_their_conversation(tmp_path: Path):
    rows = [answered(ask(f"{i} 桥", i, conversation=f"c-{i % 2}", split="test"), "不知道") for i in range(5)]
    back = past(tmp_path, [Asked.of(r, "published") for r in rows[:3]], [Asked.of(r, "gated:low") for r in rows[3:]])
    assert back.having("answer", ["不知道", "", "no"]).column("answer").to_pylist() == ["不知道"] * 3
    assert back.having("conversation", ["c-1", "c-2"]).column("side").to_pylist() == ["test"]


def test_pairs_across_two_lists_are_those_of_one_and_the_other_alone():
    old = [Asked.of(ask(t)) for t in ("What do zebras eat in winter?", QUESTION)]
    new = [Asked.of(ask(t)) for t in (QUESTION + "呢", "Which lamp is best?", QUESTION, "Which lamp is best??")]
    assert [(j, i) for _, j, i in across(old, new, 0.7)] == [(1, 0), (1, 2)]
    assert across(old, [], 0.7) == across([], new, 0.7) == []


def test_the_same_words_are_found_across_lists_where_buckets_are_full():
    old = [Asked.of(ask(f"{BEGUN}{i:04d}")) for i in range(CAP + 5)]
    assert (1.0, CAP + 4, 0) in across(old, [old[-1]], 0.9)
