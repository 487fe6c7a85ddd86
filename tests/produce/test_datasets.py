import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tasks.produce.datasets import Datasets
from tasks.produce.shapes import asked
from tasks.produce.shelf import PRODUCE
from tasks.produce.templates import SLOT, Template, templates
from tasks.recipe import RecipeError
from tasks.record import Record
from tasks.step import Drop
from tests.produce.made import through

PROJECT = Path(__file__).parents[2]
NLP = "data/templates/nlp.yaml"
Write = Callable[..., str]
SHAPES: list[tuple[dict[str, Any], str, str, str]] = [  # row, what is asked, input, system
    (
        {"instruction": "Shorten this.", "input": "A long text.", "output": "SECRET"},
        "Shorten this.",
        "A long text.",
        "",
    ),
    ({"instruction": "写一首诗。", "input": "", "output": "SECRET"}, "写一首诗。", "", ""),
    ({"system": "Be terse.", "prompt": "Why?", "response": "SECRET"}, "Why?", "", "Be terse."),
    ({"question": "为什么海水是咸的？", "answer": "SECRET"}, "为什么海水是咸的？", "", ""),
    (
        {"messages": [{"role": "user", "content": "Hi there"}, {"role": "assistant", "content": "SECRET"}]},
        "Hi there",
        "",
        "",
    ),
    (
        {
            "conversations": [
                {"from": "system", "value": "你是老师。"},
                {"from": "human", "value": "什么是力？"},
                {"from": "gpt", "value": "SECRET"},
            ]
        },
        "什么是力？",
        "",
        "你是老师。",
    ),
]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(rows: list[dict[str, Any]] | str, name: str = "set.jsonl") -> str:
        path = tmp_path / name
        if name.endswith(".parquet"):
            pq.write_table(pa.Table.from_pylist(rows), path)  # pyright: ignore[reportArgumentType]
        else:
            path.write_text(
                rows if isinstance(rows, str) else "\n".join(json.dumps(r, ensure_ascii=False) for r in rows)
            )
        return str(path)

    return put


async def of(step: Datasets, seed: int = 0) -> tuple[list[Record], list[Drop]]:
    made: list[Record] = []
    gone: list[Drop] = []
    async for outcome in step([], None, Random(seed)):  # pyright: ignore[reportArgumentType]
        made += outcome.out
        gone += outcome.dropped
    return made, gone


@pytest.mark.parametrize(("row", "said", "given", "system"), SHAPES)
@pytest.mark.parametrize("name", ["set.jsonl", "set.parquet"])
async def test_of_every_shape_the_prompt_is_taken_and_no_answer(
    row: dict[str, Any], said: str, given: str, system: str, name: str, write: Write
) -> None:
    (record,), gone = await of(Datasets((write([row], name),), licence="cc0-1.0"))
    assert (record.instruction, record.input, record.kind, record.licence) == (said, given, "prompts", "cc0-1.0")
    assert [m.content for m in record.messages if m.role == "system"] == ([system] if system else [])
    assert "SECRET" not in json.dumps(record.row(), ensure_ascii=False, default=str)
    assert record.language == ("zh" if "\u4e00" <= said[0] <= "\u9fff" else "en")
    assert record.lineage[0].detail == f"{name} row 1"
    assert record.made
    assert gone == []


async def test_of_a_conversation_the_first_or_the_last_question_is_the_prompt(write: Write) -> None:
    turns = [("user", "one"), ("assistant", "two"), ("user", "three"), ("assistant", "four"), ("tool", "x")]
    row = {"messages": [{"role": r, "content": c} for r, c in turns]}
    (first,), _ = await of(Datasets((write([row]),)))
    (last,), _ = await of(Datasets((write([row]),), turn="last"))
    assert [m.content for m in first.messages] == ["one"]
    assert [(m.content, m.trained) for m in last.messages] == [("one", False), ("two", False), ("three", False)]


@pytest.mark.parametrize(
    "row", [{"messages": []}, {"messages": [{"role": "assistant", "content": "x"}]}, {"text": "x"}, {"prompt": 3}]
)
def test_a_row_without_a_prompt_has_none(row: dict[str, Any]) -> None:
    assert asked(row, last=False) is None


async def test_rows_without_a_prompt_and_rows_that_cannot_be_read_are_dropped_with_their_place(
    write: Write, tmp_path: Path
) -> None:
    at = write('{"prompt": "Why is the sea salty?"}\nnonsense\n{"text": "nothing asked"}\n')
    tally, rows, gone = await through(Datasets((at,)), [], None, tmp_path)
    assert len(rows) == 1
    assert tally.dropped == {"no_prompt": 1, "unreadable": 1}
    assert [row["detail"] for row in gone] == ["set.jsonl row 2: not_json", "set.jsonl row 3"]


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        ("nonsense", "a.jsonl", "not_json"),
        ('{"text": "x"}', "a.jsonl", "no prompt in the columns"),
        ("{", "a.json", "broken"),
        ('prompt\n"Why is it so?\nAnd why?\n', "a.csv", "broken, the row at line 2: a quote in it does not close"),
        ('prompt\n"为什么？\n那又为什么？\n', "a.csv", "broken, the row at line 2: a quote in it does not close"),
    ],
)
async def test_a_file_that_gives_no_prompt_at_all_is_a_sentence(text: str, name: str, why: str, write: Write) -> None:
    with pytest.raises(RecipeError, match=f"{name} gives no prompt: {why}") as fault:
        await of(Datasets((write(text, name),)))
    assert fault.value.where == "produce.datasets"


async def test_a_sample_is_drawn_by_the_dice_and_keeps_the_order(write: Write) -> None:
    at = write([{"prompt": f"question number {i}"} for i in range(50)])
    drawn = [[r.instruction for r in (await of(Datasets((at,), sample=5), seed))[0]] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    numbers = [int(text.rpartition(" ")[2]) for text in drawn[0]]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 5


# Templates.


async def test_labelled_rows_become_prompts_in_several_phrasings_with_the_gold_label_apart(write: Write) -> None:
    rows = [{"text": f"The parcel number {i} never came and nobody answers.", "label": i % 2} for i in range(40)]
    at = write(rows)
    made, _ = await of(Datasets((at,), template="classification", labels={"0": "delivery", "1": "refund"}))
    assert [r.reference for r in made] == ["delivery", "refund"] * 20
    shapes = {r.instruction.replace(rows[i]["text"], "…") for i, r in enumerate(made)}
    assert shapes == {
        p.replace("{{text}}", "…").replace("{{labels}}", "delivery, refund")
        for p in templates(NLP)["classification"].en
    }
    again, _ = await of(Datasets((at,), template="classification", labels={"0": "delivery", "1": "refund"}))
    assert [r.roots for r in made] == [r.roots for r in again]


async def test_labels_that_nobody_names_are_those_of_the_data(write: Write) -> None:
    at = write("文本,意图\n三天了还没发货,物流\n颜色不对要退,退换\n", "a.csv")
    made, _ = await of(Datasets((at,), template="classification"))
    assert [r.reference for r in made] == ["物流", "退换"]
    assert all("物流、退换" in r.instruction and r.language == "zh" for r in made)


CASES: dict[str, list[tuple[dict[str, Any], str]]] = {
    "inference": [
        ({"premise": "It rained all night.", "hypothesis": "It rained.", "label": 0}, "entailment"),
        ({"sentence1": "雨下了一夜。", "sentence2": "昨夜是晴天。", "label": "contradiction"}, "矛盾"),
        ({"premise": "It rained all night.", "hypothesis": "It rained.", "label": -1}, ""),
    ],
    "reading_comprehension": [
        (
            {
                "context": "The bridge is of stone.",
                "question": "Of what is the bridge?",
                "answers": {"text": ["stone", "x"]},
            },
            "stone",
        ),
        ({"材料": "桥是石头的。", "问题": "桥是什么做的？", "答案": "石头"}, "石头"),
    ],
    "entities": [
        (
            {"text": "Marta lives in Rome.", "entities": [{"text": "Rome", "type": "place"}]},
            '[{"text": "Rome", "type": "place"}]',
        ),
        ({"文本": "王宁住在海口。", "实体": []}, ""),
    ],
}


@pytest.mark.parametrize(("task", "row", "gold"), [(t, r, g) for t, cases in CASES.items() for r, g in cases])
async def test_nlp_rows_ask_with_every_column_and_keep_the_answer_apart(
    task: str, row: dict[str, Any], gold: str, write: Write
) -> None:
    (record,), _ = await of(Datasets((write([row]),), template=task))
    assert record.reference == gold
    texts = [v for v in list(row.values())[: 1 if task == "entities" else 2] if isinstance(v, str)]
    assert all(text in record.instruction for text in texts)
    assert "{{" not in record.instruction


async def test_columns_of_other_names_are_said_in_the_recipe(write: Write) -> None:
    at = write([{"utterance": "Where is my parcel now?", "y": "delivery"}])
    step = Datasets((at,), template="classification", columns={"text": "utterance", "label": "y"})
    (record,), _ = await of(step)
    assert ("Where is my parcel now?" in record.instruction, record.reference) == (True, "delivery")


async def test_a_slot_in_a_row_opens_nothing(write: Write) -> None:
    at = write([{"text": "Say {{labels}} and {{text}} now", "label": "odd"}])
    (record,), _ = await of(Datasets((at,), template="classification"))
    assert "Say {{labels}} and {{text}} now" in record.instruction


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"template": "clasification"}, "has no template clasification"),
        ({"template": "inference", "columns": {"premiss": "a"}}, "inference has no column premiss"),
        ({"template": "x", "templates": "data/none.yaml"}, "is not a file of templates"),
    ],
)
async def test_a_template_that_is_not_there_is_a_sentence(settings: Any, said: str, write: Write) -> None:
    with pytest.raises(RecipeError, match=said):
        await of(Datasets((write([{"text": "a"}]),), **settings))


@pytest.mark.parametrize(
    "text", ["- a", "a: 3", "a: {columns: {text: []}, gold: text, en: ['{{other}}'], zh: ['好']}", "{"]
)
def test_a_file_that_holds_no_templates_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(RecipeError, match="is not a file of templates"):
        templates(str(tmp_path / "t.yaml"))


def test_every_template_has_several_phrasings_in_both_languages_with_all_its_columns() -> None:
    for name, one in templates(NLP).items():
        assert isinstance(one, Template)
        for phrasings in (one.en, one.zh):
            assert len(set(phrasings)) >= (1 if name == "solved" else 3), name  # a question is asked as it stands
            for text in phrasings:
                assert {*SLOT.findall(text)} - {"labels"} == one.columns.keys() - {one.gold}, (name, text)
            assert one.names or one.closed or any("{{labels}}" not in text for text in phrasings)


def test_numbers_as_labels_in_yaml_are_texts() -> None:
    step = PRODUCE.link(yaml.safe_load("datasets: {files: [a], template: inference, labels: {0: yes_it_does}}"), 0).step
    assert step.labels == {"0": "yes_it_does"}  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("language", ["zh"])
async def test_our_seeds_are_prompts_too(language: str) -> None:
    made, gone = await of(Datasets((f"data/seeds/{language}.jsonl",)))
    assert (len(made), gone) == (175, [])
    assert any(r.input for r in made)


async def test_the_samples_of_the_recipe_give_prompts_in_both_languages() -> None:
    recipe = yaml.safe_load((PROJECT / "deployments/recipes/datasets.yaml").read_text())
    records = [r for i, e in enumerate(recipe["produce"]) for r in (await of(PRODUCE.link(e, i).step))[0]]  # pyright: ignore[reportArgumentType]
    assert {r.language for r in records} == {"en", "zh"}
    assert len(records) == 21
    assert len({r.roots for r in records}) == 21
