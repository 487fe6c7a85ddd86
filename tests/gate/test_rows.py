from dataclasses import replace
from typing import Any

import pytest

from tasks.gate.rows import RULES, RowGates
from tasks.record import SCHEMA, Record, table
from tests.rows import HOSTILE, answered, ask

EN = "Explain in a few sentences how a lighthouse helps ships at night and in fog."
ZH = "用几句话解释灯塔在夜里和雾中怎样帮助船只，请说得简单一些。"
GOOD = {
    "en": "A lighthouse shows sailors where the coast is. Its lamp turns, and each tower has a rhythm of its own.",
    "zh": "灯塔让水手知道海岸在哪里。灯不停转动，每座灯塔都有自己的闪光节奏，水手一看就知道自己身在何处。",
}


def verdict(record: Record, gates: RowGates = RowGates()) -> str | None:  # noqa: B008
    return gates(table([record])).reason.to_pylist()[0]


def row(text: str, answer: str, judge: float = 5.0, **known: Any) -> Record:
    return answered(ask(text, **known), answer, judge)


@pytest.mark.parametrize("text", [EN, ZH])
def test_a_good_row_passes_all_rules(text: str):
    assert verdict(row(text, GOOD["en" if text == EN else "zh"])) is None


STOPPED = [
    ("empty", row(EN, "")),
    ("empty", row(ZH, " \n　")),
    ("refused", row(EN, "I'm sorry, but I can't help with that.")),
    ("refused", row(EN, "I apologize, but I am unable to provide this. " + GOOD["en"])),
    ("refused", row(EN, "As an AI language model, I have no opinion. " + GOOD["en"])),
    ("refused", row(ZH, "抱歉，我无法回答这个问题。")),
    ("refused", row(ZH, "对不起，这个请求我不能满足。" + GOOD["zh"])),
    ("refused", row(ZH, "作为一个人工智能，我没有个人看法。" + GOOD["zh"])),
    ("refused", row(ZH, "I'm sorry, but I can't help with that.")),
    ("refused", row(EN, "抱歉，我无法回答这个问题。")),
    ("echoed", row(EN, f"  {EN.upper()}\n")),
    ("echoed", row(ZH, ZH.replace("，", ","))),
    ("personal_data", row(EN, "Write to jane.roe@lamps-and-more.com and ask for the keeper.")),
    ("personal_data", row(ZH, "请拨打手机13812345678联系看塔人，他会告诉你更多。")),
    ("wrong_language", row(EN, GOOD["zh"])),
    ("wrong_language", row(ZH, GOOD["en"])),
    ("broken_fence", row(EN, "```python\nprint('lamp')\n")),
    ("broken_fence", row(ZH, "代码如下：\n```python\nprint('灯')\n```\n```")),
    ("low_score", row(EN, GOOD["en"], 4.4)),
    ("low_score", row(ZH, GOOD["zh"], 0)),
    ("low_score", replace(row(ZH, GOOD["zh"]), scores=())),
]
PASSED = [
    ("empty", row(EN, "👍")),
    ("refused", row(EN, GOOD["en"] + " I'm sorry, but I can't help more.")),
    ("refused", row(ZH, GOOD["zh"] + GOOD["zh"] + "抱歉，我无法说得更多。")),
    ("refused", row("请翻译成英文：抱歉，我不能来。", "Sorry, I can't come.", task_type="translation")),
    ("echoed", row(EN, EN + " With a lamp.")),
    ("echoed", row(ZH, ZH + "用灯。")),
    ("personal_data", row("Mend this address: jane.roe@lamps-and-more.com", "It is jane.roe@lamps-and-more.com.")),
    ("personal_data", row(ZH, "请发邮件到 [EMAIL_1]，或拨打 [PHONE_1] 联系看塔人。")),
    ("personal_data", row(EN, "Use example.com or 127.0.0.1, they are nobody's.")),
    ("wrong_language", row(ZH, "Lighthouse.")),
    ("wrong_language", row("请用英文解释灯塔在夜里和雾中怎样帮助船只，请说得简单一些。", GOOD["en"])),
    ("wrong_language", row("Explain in Chinese, in a few sentences, how a lighthouse helps ships.", GOOD["zh"])),
    ("wrong_language", row(ZH, GOOD["en"], task_type="translation")),
    ("broken_fence", row(EN, "```python\nprint('lamp')\n```")),
    ("broken_fence", row(ZH, "行内的 `灯` 不是代码块。")),
    ("low_score", row(EN, GOOD["en"], 4.5)),
    ("low_score", row(ZH, GOOD["zh"], 4.5)),
]


@pytest.mark.parametrize(("rule", "record"), STOPPED)
def test_a_rule_stops_a_row_that_breaks_it(rule: str, record: Record):
    assert verdict(record) == f"gated:{rule}"


@pytest.mark.parametrize(("rule", "record"), PASSED)
def test_a_rule_lets_a_row_pass_that_looks_like_a_breach(rule: str, record: Record):
    assert verdict(record) is None


@pytest.mark.parametrize("cases", [STOPPED, PASSED])
def test_every_rule_has_a_case(cases: list[tuple[str, Record]]):
    assert {rule for rule, _ in cases} == set(RULES)


def test_the_first_rule_that_is_broken_names_the_state():
    assert verdict(row(EN, "", 0)) == "gated:empty"
    assert verdict(row(EN, "I'm sorry, I can't. ```", 0)) == "gated:refused"


@pytest.mark.parametrize(("least", "expected"), [(4.5, "gated:low_score"), (4.0, None)])
def test_the_least_score_comes_from_the_recipe(least: float, expected: str | None):
    assert verdict(row(EN, GOOD["en"], 4.0), RowGates(least)) == expected


def test_hostile_text_is_judged_like_any_other():
    rows = [row(EN, f"{t}\n{GOOD['en']}") for t in HOSTILE] + [row(t, t) for t in HOSTILE]
    assert RowGates()(table(rows)).reason.to_pylist() == [None] * len(HOSTILE) + ["gated:echoed"] * len(HOSTILE)


def test_an_echo_of_an_earlier_turn_is_no_echo_of_the_question():
    assert verdict(row("And in fog?", EN, before=(EN, GOOD["en"]))) is None


def test_the_gates_keep_rows_and_their_order():
    rows = table([row(EN, GOOD["en"]), row(ZH, ""), row(ZH, GOOD["zh"])])
    sieved = RowGates()(rows)
    assert sieved.table.equals(rows)
    assert sieved.reason.to_pylist() == [None, "gated:empty", None]


def test_no_rows_give_no_reasons():
    assert RowGates()(SCHEMA.empty_table()).reason.to_pylist() == []
