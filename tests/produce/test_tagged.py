"""Tokens with tags as texts with entities, in the forms in which sets of both languages have them."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.produce.datasets import Datasets
from tasks.produce.tagged import kinds, tagged, told
from tasks.record import Record
from tests.rows import HOSTILE

EN = ["Marta", "Kowal", "did", "n't", "leave", "Port", "Sable", "(", "or", "so", ")", ",", "on", "4", "June", "."]
EN_TAGS = ["B-PER", "I-PER", "O", "O", "O", "B-LOC", "I-LOC", "O", "O", "O", "O", "O", "O", "B-DATE", "I-DATE", "O"]
EN_TEXT = "Marta Kowal didn't leave Port Sable (or so), on 4 June."
EN_FOUND = [("Marta Kowal", "PER"), ("Port Sable", "LOC"), ("4 June", "DATE")]
ZH = [*"王宁去年在青堰大学讲", "Python", "课", "。"]
ZH_TAGS = ["B-PER", "I-PER", "O", "O", "O", "B-ORG", "I-ORG", "I-ORG", "I-ORG", "O", "O", "O", "O"]
ZH_TEXT = "王宁去年在青堰大学讲Python课。"
ZH_FOUND = [("王宁", "PER"), ("青堰大学", "ORG")]
BOTH = pytest.mark.parametrize(
    ("tokens", "tags", "text", "found"), [(EN, EN_TAGS, EN_TEXT, EN_FOUND), (ZH, ZH_TAGS, ZH_TEXT, ZH_FOUND)]
)


def listed(found: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"text": text, "type": kind} for text, kind in found]


async def of(step: Datasets) -> list[Record]:
    return [r async for o in step([], None, Random(0)) for r in o.out]  # pyright: ignore[reportArgumentType]


@BOTH
def test_tokens_become_the_text_and_tags_the_entities_in_it(
    tokens: list[str], tags: list[str], text: str, found: list[tuple[str, str]]
) -> None:
    assert told(tokens, tags, {}) == (text, listed(found))
    assert told(" ".join(tokens), " ".join(tags), {}) == (text, listed(found))
    assert all(name in text for name, _ in found)


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("B-A I-A B-A O", ["一二", "三"]),
        ("I-A I-A O I-B", ["一二", "四"]),
        ("B-A I-B O O", ["一", "二"]),
        ("B-A E-A S-A O", ["一二", "三"]),
        ("B-A M-A M-A E-A", ["一二三四"]),
        ("S-A I-A O O", ["一", "二"]),
        ("O O O O", []),
        ("B_A I_A O O", ["一二"]),
    ],
)
def test_tags_of_every_school_are_read(tags: str, found: list[str]) -> None:
    _, entities = told(list("一二三四"), tags.split(), {})
    assert [one["text"] for one in entities or []] == found


@BOTH
@pytest.mark.parametrize("name", ["set.jsonl", "set.parquet", "set.csv"])
async def test_a_set_of_tokens_asks_for_entities_with_these_as_its_reference(
    tokens: list[str], tags: list[str], text: str, found: list[tuple[str, str]], name: str, tmp_path: Path
) -> None:
    row: dict[str, Any] = {"tokens": tokens, "ner_tags": tags}
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist([row]), tmp_path / name)
    elif name.endswith(".csv"):
        cells = [" ".join(tokens), " ".join(tags)]
        (tmp_path / name).write_text("tokens,ner_tags\n" + ",".join(f'"{c}"' for c in cells), "utf-8")
    else:
        (tmp_path / name).write_text(json.dumps(row), "utf-8")
    (record,) = await of(Datasets((str(tmp_path / name),), template="entities"))
    assert text in record.instruction
    assert json.loads(record.reference) == listed(found)
    assert record.language == ("zh" if tokens is ZH else "en")


@BOTH
async def test_tags_that_are_numbers_get_their_names_from_the_recipe(
    tokens: list[str], tags: list[str], text: str, found: list[tuple[str, str]], tmp_path: Path
) -> None:
    names = ["O", *sorted(set(tags) - {"O"})]
    row = {"id": "0", "tokens": tokens, "pos_tags": [0] * len(tokens), "ner_tags": [names.index(t) for t in tags]}
    (tmp_path / "set.jsonl").write_text("\n".join([json.dumps(row)] * 40), "utf-8")
    file = (str(tmp_path / "set.jsonl"),)
    called = {str(i): name for i, name in enumerate(names)} | {"PER": "人物" if tokens is ZH else "person"}
    made = await of(Datasets(file, template="entities", labels=called))
    expected = [(name, called.get(kind, kind)) for name, kind in found]
    assert all(json.loads(r.reference) == listed(expected) for r in made)
    asked = ("、" if tokens is ZH else ", ").join(kinds(called))
    assert any(asked in r.instruction for r in made)
    assert not any("B-" in r.instruction for r in made)
    unnamed = await of(Datasets(file, template="entities"))
    assert {r.reference for r in unnamed} == {""}
    assert all(text in r.instruction for r in unnamed)


def test_kinds_are_called_as_the_recipe_calls_them_each_once() -> None:
    assert kinds({"0": "O", "1": "B-PER", "2": "I-PER", "3": "B-LOC", "PER": "人物"}) == ["人物", "LOC"]
    assert kinds({"PER": "person", "LOC": "place"}) == ["person", "place"]


@pytest.mark.parametrize("tags", [["O"], ["B-PER", "x"], [1, 2], None, "", ["O", "O", "O"]])
def test_tags_that_do_not_fit_give_no_entities(tags: Any) -> None:
    assert told(["Marta", "left"], tags, {}) == ("Marta left", None)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_with_its_entities_is_not_of_this_form(text: str) -> None:
    assert not tagged(text, [{"text": text, "type": "x"}])
    assert not tagged(text, text)
    assert told([text], ["B-X"], {})[1] == [{"text": text, "type": "X"}]


@pytest.mark.parametrize("row", [{"tokens": [], "ner_tags": []}, {"tokens": [" "], "ner_tags": ["O"]}])
async def test_a_row_without_tokens_has_no_prompt(row: dict[str, Any], tmp_path: Path) -> None:
    rows = [row, {"tokens": ZH, "ner_tags": ZH_TAGS}]
    (tmp_path / "set.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert len(await of(Datasets((str(tmp_path / "set.jsonl"),), template="entities"))) == 1
