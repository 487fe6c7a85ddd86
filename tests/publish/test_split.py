from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tasks.history.asked import Asked
from tasks.publish.split import Split
from tasks.record import Record
from tasks.schema import SCHEMA, records, table
from tests.rows import HOSTILE, answered, ask, edited, past, said

LAMP = "Which lamp is the best one for reading in bed at night"
TENT = "Which lamp is the best one for reading outside at night"
POEM = "请写一首关于秋天的七言绝句，要求押韵，不要太伤感，写给远方的朋友"
SONG = "请写一首关于秋天的七言绝句，要求押韵，不要太伤感，送我老师"
FAR = "How tall is a copper bridge over a river?"


def row(text: str, number: int = 0, side: str = "", **known: str) -> Record:
    return answered(ask(text, number, split=side, **known), text[::-1])


def sides(rows: list[Record], split: Split = Split()) -> dict[str, str]:  # noqa: B008
    """What is asked -> its side, of the rows that have one."""
    return {r.instruction: r.split for r in records(split(table(rows)).table.slice())}


def test_no_rows_give_no_rows():
    assert Split()(SCHEMA.empty_table()).table.num_rows == 0


@pytest.mark.parametrize(("validation", "test"), [(0.05, 0.05), (0.2, 0.1), (0.0, 0.0), (0.0, 0.5)])
def test_shares_are_near_the_recipe_over_many_rows(validation: float, test: float):
    split = Split(validation, test)
    count = Counter(split.drawn(f"p-{i}") for i in range(20_000))
    assert count["validation"] / 20_000 == pytest.approx(validation, abs=0.01)
    assert count["test"] / 20_000 == pytest.approx(test, abs=0.01)


def test_every_row_of_many_gets_a_side_and_some_get_each():
    dice = Random(2)
    rows = [row("".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=30)), i) for i in range(400)]
    found = Counter(sides(rows, Split(0.2, 0.2)).values())
    assert found.total() == 400
    assert found["validation"] == pytest.approx(80, abs=25)
    assert found["test"] == pytest.approx(80, abs=25)


@pytest.mark.parametrize("side", ["train", "validation", "test"])
@pytest.mark.parametrize(("old", "new"), [(LAMP, TENT), (POEM, SONG)])
def test_a_new_row_goes_where_a_close_published_one_is(tmp_path: Path, side: str, old: str, new: str):
    before = past(tmp_path, [Asked.of(row(old, 0, side), "published")])
    assert sides([row(new, 1)], Split(past=before)) == {new: side}


@pytest.mark.parametrize("fate", ["gated:low_score", "merged", "straddles_split"])
def test_what_was_not_published_draws_no_row_to_a_side(tmp_path: Path, fate: str):
    drawn = Split().drawn(row(TENT).prompt_id)
    other = next(s for s in ("train", "test") if s != drawn)
    before = past(tmp_path, [Asked.of(row(LAMP, 0, other), fate)])
    assert sides([row(TENT, 1)], Split(past=before)) == {TENT: drawn}


@pytest.mark.parametrize("texts", [(LAMP, TENT), (POEM, SONG)])
def test_close_rows_of_one_run_stay_together_on_the_side_of_the_earliest(texts: tuple[str, str]):
    for seed in range(20):  # other prompts, other draws
        pair = [row(f"{seed} {t}", i, system=str(seed)) for i, t in enumerate(texts)]
        split = Split(0.3, 0.3)
        assert set(sides(pair[::-1], split).values()) == {split.drawn(pair[0].prompt_id)}


def test_a_conversation_stays_whole_however_far_apart_its_turns_are():
    split = Split(0.3, 0.3)
    asked = [LAMP, POEM, FAR, "为什么？", "And then?"]
    assert len({split.drawn(row(t).prompt_id) for t in asked}) > 1
    rows = [row(t, i, conversation="c-1") for i, t in enumerate(asked)]
    assert set(sides(rows, split).values()) == {split.drawn(rows[0].prompt_id)}


@pytest.mark.parametrize("side", ["train", "validation", "test"])
def test_a_conversation_goes_on_where_it_was_published(tmp_path: Path, side: str):
    before = past(tmp_path, [Asked.of(row(LAMP, 0, side, conversation="c-1"), "published")])
    new = [row(POEM, 1, conversation="c-1"), row("为什么？", 2, conversation="c-1")]
    assert set(sides(new, Split(past=before)).values()) == {side}


def test_rows_without_a_conversation_do_not_share_one():
    split = Split(0.4, 0.3)
    rows = [row(t, i) for i, t in enumerate((LAMP, POEM, FAR, "为什么？", "And then?"))]
    assert sides(rows, split) == {r.instruction: split.drawn(r.prompt_id) for r in rows}


def test_a_row_that_is_close_to_two_sides_is_dropped(tmp_path: Path):
    before = past(
        tmp_path,
        [Asked.of(row(LAMP, 0, "train"), "published"), Asked.of(row(POEM, 0, "test", conversation="c-1"), "published")],
    )
    folded = Split(past=before)(table([row(FAR, 1), row(TENT, 2, conversation="c-1")]))
    assert [r.instruction for r in records(folded.table.slice())] == [FAR]
    ((number, drop),) = folded.dropped
    assert (number, drop.reason, drop.detail) == (1, "straddles_split", "close to rows of test and train")


def test_a_dropped_row_draws_no_other_to_its_sides(tmp_path: Path):
    """The row that straddles is the only tie of the third to a side: the third is free."""
    before = past(
        tmp_path,
        [
            Asked.of(row(FAR, 0, "train", conversation="c-1"), "published"),
            Asked.of(row(LAMP, 0, "test"), "published"),
        ],
    )
    third = "Tell me the best one for reading outside at night"
    rows = [row(TENT, 1, conversation="c-1"), row(third, 2)]
    split = Split(past=before)
    assert Asked.of(rows[1]).likeness(Asked.of(rows[0])) >= 0.5 > Asked.of(rows[1]).likeness(Asked.of(row(LAMP)))
    assert sides(rows, split) == {third: split.drawn(rows[1].prompt_id)}


def test_hostile_text_gets_the_side_of_its_hash():
    split = Split(0.3, 0.3)
    assert sides([row(t) for t in HOSTILE], split) == {t: split.drawn(row(t).prompt_id) for t in HOSTILE}


def log(dice: Random) -> list[Record]:
    bases = [said(dice, dice.randint(6, 20)) for _ in range(25)]
    rows = []
    for number in range(150):
        text = edited(dice, dice.choice(bases), dice.choice((0, 1, 3, 5, 8)))
        session = dice.choice(("", "", f"c-{dice.randrange(40)}"))
        rows.append(replace(row(text, number // 3, conversation=session), roots=(f"l-{dice.randrange(10**9):09d}",)))
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_a_few_runs_give_the_same_sides_as_one(tmp_path: Path, seed: int):
    dice = Random(seed)
    rows = sorted(log(dice), key=lambda r: (r.asked_at, r.roots))
    whole = Split(0.25, 0.25)(table(dice.sample(rows, len(rows))))
    cuts = sorted(dice.sample(range(1, len(rows)), dice.randint(1, 7)))
    segments: list[list[Asked]] = []
    placed: dict[str, str] = {}
    for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        given = dice.sample(rows[start:end], end - start)
        folded = Split(0.25, 0.25, past=past(tmp_path / str(start), *segments))(table(given))
        kept = records(folded.table.slice())
        placed |= {r.roots[0]: r.split for r in kept}
        gone = [Asked.of(given[i], "straddles_split") for i, _ in folded.dropped]
        segments.append(sorted([*(Asked.of(r, "published") for r in kept), *gone], key=lambda a: a.prompt_id))
    assert placed == {r.roots[0]: r.split for r in records(whole.table.slice())}
    assert 0 < len(rows) - len(placed) < len(rows)
    assert len(set(placed.values())) == 3


@pytest.mark.parametrize("seed", range(3))
def test_no_conversation_and_no_two_rows_that_are_nearly_the_same_stand_on_two_sides(seed: int):
    kept = records(Split(0.25, 0.25)(table(log(Random(seed)))).table.slice())
    session: dict[str, set[str]] = {}
    for r in kept:
        session.setdefault(r.conversation or r.roots[0], set()).add(r.split)
    assert all(len(s) == 1 for s in session.values())
    asked = [(Asked.of(r), r.split) for r in kept]
    apart = [a.likeness(b) for i, (a, one) in enumerate(asked) for b, other in asked[:i] if one != other]
    # Not `close` itself: below 0.8 the bands find most of the pairs, not all of them.
    assert max(apart) < 0.8
