"""Numbered lists as teachers write them: ill forms are counted, not guessed at."""

from __future__ import annotations

import pytest

from tasks.produce.listing import Listing
from tasks.produce.screen import Task
from tests.rows import HOSTILE

EN = Listing(("Instruction", "Input", "Output"))
ZH = Listing(("指令", "输入", "输出"))


def lines(text: str) -> str:
    return text.replace("|", "\n")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "1. Instruction: Sum them.|1. Input: 1 2|1. Output: 3|###",
            "2. Instruction: Greet.|2. Input: (none)|2. Output: Hi.",
        ),
        (
            "Here you are:||1. Instruction: Sum them.|Input: 1 2|Output: 3|",
            "2. Instruction: Greet.|Input: (none)|Output: Hi.",
        ),
        (
            "**1. Instruction:** Sum them.|**1. Input:** 1 2|**1. Output:** 3||---|",
            "**2. Instruction:** Greet.|**2. Input:** (none)|**2. Output:** Hi.|###|",
        ),
        ("Instruction: Sum them.|Input: 1 2|Output: 3|###", "INSTRUCTION: Greet.|Input: (none)|Output: Hi.|"),
        (
            "### 1) Instruction：Sum them.|1) Input：1 2|1) Output：3",
            "### 1) Instruction：Greet.|1) Input：(none)|1) Output：Hi.",
        ),
    ],
    ids=["as asked", "number once", "bold and ruled", "no numbers", "one number for all"],
)
def test_a_list_is_read_in_the_forms_that_teachers_give_it(first: str, second: str) -> None:
    text = lines(f"{first}|{second}")
    assert EN.read(text) == ([Task("Sum them.", "1 2", "3"), Task("Greet.", "(none)", "Hi.")], 0)


def test_a_chinese_list_is_read_with_its_own_words_and_colons() -> None:
    text = lines(
        "清单如下：|1. 指令：求和|1. 输入：1 2|1. 输出：3|###|2、指令: 打个招呼|2、输入: 无|2、输出: 你好|再见"
    )
    assert ZH.read(text) == ([Task("求和", "1 2", "3"), Task("打个招呼", "无", "你好\n再见")], 0)
    assert EN.read(text) == ([], 0)


def test_an_input_may_be_left_out() -> None:
    assert ZH.read("1. 指令：求和\n1. 输出：3") == ([Task("求和", "", "3")], 0)


@pytest.mark.parametrize(
    ("text", "ill"),
    [
        ("1. Instruction: No end\n1. Input: x", 1),
        ("1. Instruction:\n1. Input: x\n1. Output: y", 1),
        ("1. Instruction: a\n1. Output: y\n1. Input: x", 1),
        ("1. Instruction: a\n1. Input: x\n1. Output: y\n1. Output: z", 1),
        ("1. Instruction: a\n2. Instruction: b\n3. Instruction: c", 3),
        ("I would rather not.", 0),
        ("", 0),
    ],
)
def test_an_ill_task_is_counted_and_nothing_is_made_of_it(text: str, ill: int) -> None:
    assert EN.read(text) == ([], ill)


def test_an_ill_task_takes_no_neighbour_with_it() -> None:
    text = (
        "1. Instruction: a\n1. Output: x\n2. Instruction: b\n2. Input: c\n3. Instruction: d\n3. Input: e\n3. Output: f"
    )
    assert EN.read(text) == ([Task("a", "", "x"), Task("d", "e", "f")], 1)


def test_parts_that_are_named_within_a_text_stay_text() -> None:
    text = "1. Instruction: Double it.\nInput: 2\nOutput: 4\n1. Input: 3\n1. Output: 6\nOutput: six\nInstruction: none"
    assert EN.read(text) == ([Task("Double it.\nInput: 2\nOutput: 4", "3", "6\nOutput: six\nInstruction: none")], 0)
    loose = "1. Instruction: Double it.\nInput: 3\nOutput: 6\nInput: 4\nOutput: 8"
    assert EN.read(loose) == ([Task("Double it.", "3", "6\nInput: 4\nOutput: 8")], 0)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_texts_are_texts(hostile: str) -> None:
    text = f"1. Instruction: {hostile}\n1. Input: {hostile}\n1. Output: {hostile}"
    assert EN.read(text) == ([Task(hostile, hostile, hostile)], 0)
