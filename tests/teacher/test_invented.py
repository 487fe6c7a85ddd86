from random import Random
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from tasks.answer.distill import Reasoned
from tasks.judge.verdict import Verdict
from tasks.label.task_type import labelled
from tasks.language import detect
from tasks.taxonomy import Taxonomy
from tasks.teacher.ask import parse, strict
from tasks.teacher.invented import invented
from tasks.teacher.tokens import tokens


class Point(BaseModel):
    x: int = Field(ge=3)
    why: str | None


class Drawing(BaseModel):
    kind: Literal["line"]
    points: list[Point] = Field(min_length=2)


@pytest.mark.parametrize("shape", [Verdict, Reasoned, labelled(Taxonomy.read("data/taxonomy.yaml")), Drawing])
def test_an_invented_reply_fits_the_shape_that_is_asked_for(shape: type[BaseModel]) -> None:
    for seed in range(20):
        read, fault = parse(invented(strict(shape.model_json_schema()), 12, Random(seed)), shape)
        assert read is not None, fault


def test_a_verdict_lets_its_row_go_on_and_labels_differ() -> None:
    verdict, _ = parse(invented(Verdict.model_json_schema(), 12, Random(1)), Verdict)
    assert verdict
    assert (verdict.harmless, verdict.score) == (True, 5)
    schema = labelled(Taxonomy.read("data/taxonomy.yaml")).model_json_schema()
    assert len({invented(schema, 12, Random(seed)) for seed in range(30)}) > 20


@pytest.mark.parametrize("length", [1, 7, 400])
def test_a_free_text_has_the_length_that_it_is_to_have(length: int) -> None:
    assert tokens(invented(None, length, Random(0))) == pytest.approx(length, abs=1)


def test_no_two_texts_are_alike_and_a_list_is_one() -> None:
    class Several(BaseModel):
        texts: list[str]

    read, _ = parse(invented(strict(Several.model_json_schema()), 20, Random(2)), Several)
    assert read
    assert len(set(read.texts)) == len(read.texts) > 1
    assert {detect(text) for text in read.texts} == {"other"}
