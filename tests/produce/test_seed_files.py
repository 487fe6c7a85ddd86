"""Files that techniques start from: read whole, or named with what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasks.produce.rouge import Known
from tasks.produce.screen import Screen, any_of
from tasks.produce.seeds import Seed, named, read_lines, read_seeds
from tasks.produce.shelf import PRODUCE
from tasks.recipe import RecipeError
from tasks.text import key


def screen(language: str) -> Screen:
    words = (6, 250) if language == "zh" else (4, 150)
    return Screen(language, words, any_of(map(key, read_lines(f"data/seeds/cannot.{language}.txt"))), Known())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_seed_passes_the_screen_that_what_grows_of_it_must_pass(language: str) -> None:
    seeds = read_seeds(named("data/seeds/{language}.jsonl", language))
    stopped = {s.prompt: why for s in seeds if (why := screen(language).wrong(s.prompt))[0]}
    assert stopped == {}


def test_a_team_may_leave_out_what_it_does_not_have(tmp_path: Path) -> None:
    (tmp_path / "ours.zh.jsonl").write_text('{"task_type": "春联", "prompt": "写一副春联", "by": "us"}\n\n', "utf-8")
    assert read_seeds(named(f"{tmp_path}/ours.{{language}}.jsonl", "zh")) == (Seed("春联", "写一副春联"),)


def test_lines_are_read_without_blank_ones_and_remarks(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("# what it is\n潮间带\n\n  tide pools \n", "utf-8")
    assert read_lines(str(tmp_path / "list.txt")) == ("潮间带", "tide pools")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "it is empty"),
        (b"\xff\xfe\x00", "it is not UTF-8"),
        (b"{", "Invalid JSON"),
        (b'{"prompt": "x"}', "Field required"),
        (None, "No such file"),
    ],
)
def test_a_file_that_holds_no_seeds_is_one_sentence_when_the_recipe_is_read(
    raw: bytes | None, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "ours.en.jsonl"
    if raw is not None:
        file.write_bytes(raw)
    for technique in ("self_instruct", "alpaca"):
        with pytest.raises(RecipeError, match=f"{technique}: .*ours.en.jsonl is not a file of seeds: {said}") as fault:
            PRODUCE.link({technique: {"seeds": f"{tmp_path}/ours.{{language}}.jsonl"}}, 0)
        assert fault.value.where == f"produce.0.{technique}"
        assert fault.value.hint == "write task_type and prompt on each line"


@pytest.mark.parametrize("setting", ["topics", "taxonomy", "cannot"])
def test_so_is_any_other_file_that_cannot_be_read(setting: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"chinese_llama_alpaca: .*nowhere"):
        PRODUCE.link({"chinese_llama_alpaca": {setting: str(tmp_path / "nowhere")}}, 0)


def test_a_seed_is_read_with_all_that_it_says(tmp_path: Path) -> None:
    whole = {"task_type": "a", "prompt": "b", "input": "c", "response": "d", "classification": True}
    (tmp_path / "one.jsonl").write_text(json.dumps(whole))
    assert read_seeds(str(tmp_path / "one.jsonl")) == (Seed("a", "b", "c", "d", True),)
