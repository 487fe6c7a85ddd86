from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tasks.dedup.prompts import OnePrompt
from tasks.history.asked import Asked
from tasks.history.past import CAP, NOTHING, Past
from tasks.record import Record
from tasks.schema import SCHEMA, records, table
from tasks.step import Folded
from tests.rows import HOSTILE, answered, ask, edited, past, said, texts

LAMP = "Which lamp is best for reading in bed at night?"
LAMP_2 = "Which lamp is best for reading in bed at night??"
LAMP_3 = "Which lamp is best for reading in bed at night, please?"
POEM = "请写一首关于秋天的七言绝句，要押韵"


def one(rows: list[Record], before: Past = NOTHING, threshold: float = 0.7) -> Folded:
    return OnePrompt(threshold, before)(table(rows))


def test_no_rows_give_no_rows():
    folded = OnePrompt()(SCHEMA.empty_table())
    assert folded.table.num_rows == 0
    assert folded.dropped == []


def test_the_earliest_stays_wherever_it_stands_in_the_file():
    folded = one([ask(LAMP_2, 9), ask(POEM, 5), ask(LAMP, 1)])
    assert texts(folded.table.slice()) == [LAMP, POEM]
    assert [(number, d.reason) for number, d in folded.dropped] == [(0, "merged")]


def test_of_two_asked_at_one_moment_the_lesser_log_id_stays():
    late, early = ask(LAMP, 7), ask(LAMP_2, 7)
    folded = one([late, replace(early, roots=("l-00001",))])
    assert texts(folded.table.slice()) == [LAMP_2]


def test_a_merge_adds_its_log_ids_and_says_into_what():
    two = replace(ask(LAMP_2, 2), roots=("l-00002", "l-00009"))
    folded = one([ask(LAMP, 1), two, ask(LAMP_3, 3)])
    kept = records(folded.table.slice())[0]
    assert kept.roots == ("l-00001", "l-00002", "l-00009", "l-00003")
    assert {d.into for _, d in folded.dropped} == {kept.prompt_id}


@pytest.mark.parametrize(
    ("text", "more"),
    [(LAMP_3, (", under $30?", " By mail?", " In green?")), (POEM, ("，不写月", "，写到雁", "，配题"))],
)
def test_what_was_made_of_a_prompt_is_no_twin_of_it_nor_of_what_was_made_of_that_in_turn(
    text: str, more: tuple[str, ...]
):
    line = [ask(text, 1)]
    for addition in more:
        line.append(line[-1].derived("harder", line[-1].asking(line[-1].instruction + addition)))
    assert Asked.of(line[0]).likeness(Asked.of(line[1])) > 0.4
    folded = one(line[::-1], threshold=0.4)
    assert texts(folded.table.slice()) == [r.instruction for r in line]
    assert folded.dropped == []


def test_what_was_made_of_a_prompt_that_was_asked_before_is_no_twin_of_it(tmp_path: Path):
    parent = ask(LAMP_3, 1)
    child = parent.derived("harder", parent.asking(LAMP_2))
    before = past(tmp_path, [Asked.of(answered(parent, "The red one.", 5), "published")])
    assert texts(one([child], before).table.slice()) == [LAMP_2]
    assert texts(one([ask(LAMP_2, 2)], before).table.slice()) == []


def test_what_was_made_of_a_prompt_and_says_the_same_is_its_twin():
    parent = ask(LAMP, 1)
    folded = one([parent, parent.derived("harder", parent.asking(LAMP.upper()))])
    assert texts(folded.table.slice()) == [LAMP]


def test_a_prompt_that_was_merged_takes_no_others_along():
    """a ~ b ~ c, but a and c are apart: b falls to a, and c stays."""
    a, b, c = ("".join(chr(ord("a") + i) for i in range(k, k + 20)) for k in (0, 2, 4))
    floor = min(Asked.of(ask(a)).likeness(Asked.of(ask(b))), Asked.of(ask(b)).likeness(Asked.of(ask(c))))
    assert Asked.of(ask(a)).likeness(Asked.of(ask(c))) < floor
    assert texts(one([ask(a, 1), ask(b, 2), ask(c, 3)], threshold=floor).table.slice()) == [a, c]


def test_a_published_twin_comes_before_a_nearer_one_of_this_run(tmp_path: Path):
    published = Asked.of(answered(ask(LAMP), "The red one.", 5), "published")
    folded = one([ask(POEM, 1), ask(LAMP_2, 2)], past(tmp_path, [published]))
    assert texts(folded.table.slice()) == [POEM]
    assert [(n, d.reason, d.into) for n, d in folded.dropped] == [(1, "merged", published.row_id)]


def test_history_is_preferred_to_a_nearer_prompt_of_the_run(tmp_path: Path):
    text = "Which lamp is best for reading in bed at night, please tell me"
    published = Asked.of(answered(ask(f"{text} it all now"), "The red one."), "published")
    fresh, both = f"So: {text[:46]}", text[:-7]
    old, new = Asked.of(ask(both)).likeness(published), Asked.of(ask(both)).likeness(Asked.of(ask(fresh)))
    assert new > old >= 0.7 > Asked.of(ask(fresh)).likeness(published)
    folded = one([ask(fresh, 1), ask(both, 2)], past(tmp_path, [published]))
    assert texts(folded.table.slice()) == [fresh]
    assert [d.into for _, d in folded.dropped] == [published.row_id]


@pytest.mark.parametrize("fate", ["gated:refused", "low_score", "unparsed", "straddles_split"])
def test_what_was_asked_and_not_published_is_not_asked_again(tmp_path: Path, fate: str):
    gone = Asked.of(ask(POEM), fate)
    folded = one([ask(POEM + "！", 1)], past(tmp_path, [gone]))
    (number, drop) = folded.dropped[0]
    assert (number, drop.reason, drop.into) == (0, "rejected_before", gone.prompt_id)
    assert fate in drop.detail


def test_what_merged_into_a_published_row_passes_its_likes_on_to_that_row(tmp_path: Path):
    merged = replace(Asked.of(ask(POEM), "merged"), row_id="r-1")
    assert one([ask(POEM, 1)], past(tmp_path, [merged])).dropped[0][1].into == "r-1"


def test_hostile_text_is_one_with_itself_and_nothing_else():
    asked = [LAMP, *HOSTILE, POEM]
    folded = one([ask(t, i) for i, t in enumerate([*asked, *asked])])
    assert texts(folded.table.slice()) == asked
    assert all(len(r.roots) == 2 for r in records(folded.table.slice()))


def test_the_same_words_from_two_products_or_in_two_sessions_stay_apart():
    shop = ask("再说一遍", 2, system="你是客服")
    session = ask("再说一遍", 3, before=("给我讲讲灯塔的历史，越详细越好", "最早是山上的火堆。"))
    assert one([ask("再说一遍", 1), shop, session]).table.num_rows == 3


def log(dice: Random) -> list[Record]:
    """Rows of some hundred askers: new prompts, their edits of all degrees, exact copies, sessions, products."""
    bases = [said(dice, dice.randint(3, 25)) for _ in range(15)]
    rows = []
    for number in range(160):
        text = edited(dice, dice.choice(bases), dice.choice((0, 0, 1, 2, 3, 5, 8)))
        system = dice.choice(("", "", "你是客服"))
        before = dice.choice(((), (), (bases[0], "好的")))
        rows.append(ask(text, number // 3, system=system, before=before))
        rows[-1] = replace(rows[-1], roots=(f"l-{dice.randrange(10**9):09d}",))
    return rows


def crowded(dice: Random) -> list[Record]:
    """One boilerplate that everybody fills in: more of its rows are kept than a bucket gives, and some fall to them."""
    begun = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz ", k=120))
    fills = dice.sample("".join(map(chr, range(0x3A0, 0x3A0 + 2 * CAP))), 2 * CAP)
    rows = [ask(f"{begun}{fill}", number) for number, fill in enumerate(fills)]
    return rows + [ask(edited(dice, r.instruction, i % 2), 2 * CAP + i) for i, r in enumerate(dice.sample(rows, 60))]


@pytest.mark.parametrize(("logs", "threshold"), [(log, 0.7)] * 4 + [(crowded, 0.99)])
def test_a_few_runs_keep_the_same_prompts_as_one(
    tmp_path: Path, logs: Callable[[Random], list[Record]], threshold: float, request: pytest.FixtureRequest
):
    dice = Random(request.node.name)
    rows = sorted(logs(dice), key=lambda r: (r.asked_at, r.roots))
    whole = one(dice.sample(rows, len(rows)), threshold=threshold)
    cuts = sorted(dice.sample(range(1, len(rows)), dice.randint(1, 7)))
    segments: list[list[Asked]] = []
    kept: list[str] = []
    for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        folded = one(dice.sample(rows[start:end], end - start), past(tmp_path / str(start), *segments), threshold)
        assert folded.table.num_rows + len(folded.dropped) == end - start
        kept += [r.prompt_id for r in records(folded.table.slice())]
        # A run remembers its prompts in the order of the log, whatever became of them.
        fates = [dice.choice(("published", "gated:low_score")) for _ in range(folded.table.num_rows)]
        segments.append([*map(Asked.of, records(folded.table.slice()), fates)])
    assert 20 < len(kept) < len(rows) - 20
    assert kept == [r.prompt_id for r in records(whole.table.slice())]
    assert (whole.noted["crowded"] > 0) == (logs is crowded)


@pytest.mark.parametrize("seed", range(3))
def test_every_log_id_ends_once_in_what_is_kept(seed: int):
    rows = log(Random(seed))
    folded = one(rows)
    roots = [i for r in records(folded.table.slice()) for i in r.roots]
    assert sorted(roots) == sorted(r.roots[0] for r in rows)
    assert {d.reason for _, d in folded.dropped} == {"merged"}
