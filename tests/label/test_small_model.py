from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tasks.label import small_model
from tasks.label.small_model import Guess, SmallModel, threshold
from tasks.loop import Bench, run
from tasks.publish.version import published, stage
from tasks.record import Record
from tasks.schema import records, table
from tasks.shard import write
from tasks.step import Folded
from tasks.taxonomy import Kind, Taxonomy
from tests.rows import answered, ask

TAXONOMY = Taxonomy(
    types=(
        Kind("code/generation", "c", "码"),
        Kind("writing/verse", "v", "诗"),
        Kind("translation/sentence", "t", "译"),
    ),
    domains=(Kind("general", "g", "通"),),
)
ASKS = {
    "code/generation": ("Write a Python function that {} a list of numbers", "用 Python 写一个函数，把列表{}一下"),
    "writing/verse": ("Compose a poem about the {} of the autumn moon", "写一首关于秋月{}的七言诗"),
    "translation/sentence": ("Translate into French: the {} is on the table", "把这句话翻译成法语：桌子上有{}"),
}
WORDS = ("sorts", "turns", "counts", "mirrors", "排序", "反转", "统计", "朦胧", "思念", "雨声", "lantern", "river")


def prompts(count: int, seed: int = 0) -> list[tuple[Record, str]]:
    """Prompts of three kinds in both languages, and what each is."""
    dice, made = Random(seed), list[tuple[Record, str]]()
    for i in range(count):
        kind = dice.choice(list(ASKS))
        words = f"{dice.choice(WORDS)} {dice.choice(WORDS)} {i}"
        made.append((ask(ASKS[kind][i % 2].format(words), i), kind))
    return made


def by_teacher(record: Record, kind: str) -> Record:
    task_type, _, subtype = kind.partition("/")
    named = Record.from_row(record.row() | {"task_type": task_type, "subtype": subtype, "domain": "general"})
    return named.stamped("label/task_type", "sha", "m-1")


def after(rows: Sequence[Record], **settings: object) -> tuple[Folded, list[Record]]:
    folded = SmallModel(TAXONOMY, **settings)(table(rows))  # pyright: ignore[reportArgumentType]
    return folded, records(folded.table)


def test_what_the_teacher_labelled_teaches_the_rest_in_both_languages() -> None:
    some, rest = prompts(150), prompts(100, seed=1)
    given = [*(by_teacher(r, k) for r, k in some), *(r for r, _ in rest)]
    folded, made = after(given)
    right = {(f"{r.task_type}/{r.subtype}" == kind, r.language) for r, (_, kind) in zip(made[150:], rest, strict=True)}
    assert right == {(True, "en"), (True, "zh")}
    assert folded.noted == {"teacher_labels": 150, "held_out_percent": 100, "labelled": 100, "left_to_teacher": 0}
    assert made[:150] == given[:150]
    assert {r.lineage[-1].step for r in made[150:]} == {"small_model"}
    assert not folded.dropped


def test_what_it_cannot_tell_is_left_to_the_teacher_as_it_was() -> None:
    dice = Random(0)
    nonsense = [by_teacher(r, dice.choice(list(ASKS))) for r, _ in prompts(150)]  # labels that no text explains
    rest = [r for r, _ in prompts(60, seed=1)]
    folded, made = after([*nonsense, *rest], confidence=0.95)
    assert made[150:] == rest
    assert folded.noted["left_to_teacher"] == 60
    assert folded.noted["held_out_percent"] < 60


def test_the_same_labels_teach_the_same() -> None:
    given = [*(by_teacher(r, k) for r, k in prompts(120)), *(r for r, _ in prompts(40, seed=2))]
    assert after(given)[1] == after(given)[1]


def test_too_few_labels_teach_nothing_and_one_kind_alone_is_told_apart_from_none() -> None:
    few = [by_teacher(r, k) for r, k in prompts(small_model.FEWEST - 1)]
    folded, made = after([*few, ask("又一个问题")])
    assert not made[-1].task_type
    assert folded.noted == {"teacher_labels": small_model.FEWEST - 1}
    alike = [by_teacher(r, "writing/verse") for r, _ in prompts(60)]
    assert after([*alike, ask("又一个问题")])[1][-1].task_type == "writing"


def test_labels_of_the_last_version_teach_too_but_not_its_own_and_not_those_that_the_taxonomy_lost(
    tmp_path: Path,
) -> None:
    old = [answered(by_teacher(r, k), "An answer of some length.") for r, k in prompts(100)]
    own = [answered(r, "x").stamped("small_model") for r, _ in prompts(7, seed=3)]
    lost = [answered(by_teacher(r, "cooking/recipe"), "y") for r, _ in prompts(5, seed=4)]
    rows = [Record.from_row(r.row() | {"split": "train"}) for r in (*old, *own, *lost)]
    stage(tmp_path, published(table(rows)))
    files = tuple(str(f) for f in sorted(tmp_path.glob("data/chat/*.parquet")))
    folded, made = after([r for r, _ in prompts(30, seed=1)], earlier=files)
    assert folded.noted["teacher_labels"] == 100
    assert all(r.task_type for r in made)


@pytest.mark.parametrize(
    ("rights", "confidence", "least"),
    [([True] * 100, 0.9, 0.01), ([True] * 60 + [False] * 40, 0.9, 0.34), ([False] * 100, 0.5, None)],
)
def test_the_threshold_is_the_lowest_certainty_that_keeps_the_share_of_right_ones(
    rights: list[bool], confidence: float, least: float | None
) -> None:
    held_out = [(Guess("a/b", "c", (100 - i) / 100), right) for i, right in enumerate(rights)]
    assert threshold(held_out, confidence) == (None if least is None else pytest.approx(least, abs=0.011))


async def test_the_loop_balances_it(tmp_path: Path) -> None:
    given = [*(by_teacher(r, k) for r, k in prompts(80)), *(r for r, _ in prompts(20, seed=1))]
    shards = [write(table(given), tmp_path / "in.parquet")]
    tally = await run(SmallModel(TAXONOMY), shards, Bench(tmp_path / "work", 7))
    assert (tally.seen, tally.out, tally.noted["labelled"]) == (100, 100, 20)
