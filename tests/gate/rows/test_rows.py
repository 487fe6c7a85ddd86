import json
from dataclasses import replace
from typing import Any

import pytest

from tasks.gate.rows import RowGates, checks
from tasks.recipe import RowChecks, checked
from tasks.record import Record, Score, ToolCall
from tasks.schema import SCHEMA, table
from tests.rows import HOSTILE, answered, ask

EN = "Explain in a few sentences how a lighthouse helps ships at night and in fog."
ZH = "用几句话解释灯塔在夜里和雾中怎样帮助船只，请说得简单一些。"
GOOD = {
    "en": "A lighthouse shows sailors where the coast is. Its lamp turns, and each tower has a rhythm of its own.",
    "zh": "灯塔让水手知道海岸在哪里。灯不停转动，每座灯塔都有自己的闪光节奏，水手一看就知道自己身在何处。",
}


def verdict(record: Record, gates: RowGates = RowGates(chatter="drop")) -> str | None:  # noqa: B008
    return gates(table([record])).reason.to_pylist()[0]


def row(text: str, answer: str, judge: float = 5.0, **known: Any) -> Record:
    return answered(ask(text, **known), answer, judge)


@pytest.mark.parametrize("text", [EN, ZH])
def test_a_good_row_passes_all_rules(text: str):
    assert verdict(row(text, GOOD["en" if text == EN else "zh"])) is None


def calling(name: str, arguments: str) -> Record:
    """A row whose answer is one call; one tool is declared, in a schema that only its maker takes for one."""
    wanted = {"type": "dict", "properties": {"on": {"type": "bool"}}, "required": ["on"]}
    tools = json.dumps([{"name": "turn_on", "parameters": wanted}])
    called = ask("Turn on the lamp.", tools=tools).answering("", "", [ToolCall("1", name, arguments)])
    return replace(called, scores=(Score("judge", 5.0),), task_type="tool_use")


LONG_EN = GOOD["en"] + " " + "Sailors count the seconds between two flashes and find the tower on their chart. " * 4
LONG_ZH = GOOD["zh"] + "水手数着两次闪光之间的秒数，在海图上找到这座灯塔。" * 3
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
    ("refused", row(EN, "Thank you for reaching out! I'm sorry, but I can't help with that.")),
    ("refused", row(EN, "Hi there!\nI appreciate the question. Unfortunately, I cannot assist with this request.")),
    ("refused", row(ZH, "您好！感谢您的提问。很抱歉，我无法回答这个问题。")),
    ("refused", row("Write a letter to my boss.", "I'm sorry, but I can't write that letter.", task_type="writing")),
    ("refused", row("Write a story about a thief.", "I'm sorry, but I can't assist with that.")),
    ("refused", row("帮我写一封信。", "抱歉，我无法撰写这封信。", task_type="writing")),
    ("refused", row("写一个故事。", "抱歉，作为一个人工智能，我不能写故事。")),
    ("truncated", row(EN, f"{LONG_EN}\n\nThe keeper wakes at night, because the")),
    ("truncated", row(EN, f"{LONG_EN}\n\n{LONG_EN}\n\nIn fog a horn helps the ships that can no longer see")),
    ("truncated", row(EN, f"{LONG_EN}\n\n1. The lamp turns.\n2. The horn sounds.\n3.")),
    ("truncated", row(EN, f"{LONG_EN}\n\n| sign | meaning |\n|---|---|\n| lamp | here I am |\n| horn | keep")),
    ("truncated", row(ZH, f"{LONG_ZH}看塔人夜里要起来好几次，")),
    ("truncated", row(ZH, f"{LONG_ZH}\n\n{LONG_ZH}\n\n如果雾很大，看塔人就要每隔一分钟拉响一次雾")),
    ("truncated", row(ZH, f"{LONG_ZH}\n\n灯塔的作用有三种（其中最重要的一种是让水手在夜里知道")),
    ("chatter", row(EN, f"Sure! Here is why:\n\n{LONG_EN}")),
    ("chatter", row(ZH, f"{LONG_ZH}\n\n希望对你有帮助！")),
    ("broken_code", row(EN, "Like this:\n```python\ndef lamp(:\n    return 1\n```\nThat is all.")),
    ("broken_code", row(ZH, '代码如下：\n```json\n{"灯": 1,, "塔": 2}\n```')),
    ("bad_tool_call", calling("lamp", '{"on": true}')),
    ("bad_tool_call", calling("turn_on", '{"on": "yes"}')),
    ("not_json", row("Name two lamps. Reply with JSON only.", "Sure! Here are two lamps: a torch and a lantern.")),
    ("not_json", row("列出两种灯，只返回JSON，不要其他内容。", "好的，两种灯是台灯和路灯。")),
    ("constraints_unmet", row(EN, GOOD["en"], constraints=('{"kind": "words", "least": 200}',))),
    ("constraints_unmet", row(ZH, GOOD["zh"], constraints=('{"kind": "no_commas"}',))),
    ("constraints_unmet", row(ZH, GOOD["zh"], constraints=('{"kind": "haiku"}',))),
    ("loose_punctuation", row(ZH, "灯塔很高,灯很亮,水手看得见,所以不会触礁.")),
    ("loose_punctuation", row(ZH, '水手说"灯塔"很亮，"雾号"很响，"海图"也不能少。')),
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
    ("refused", row("Write a letter to Ann, I cannot come.", "I'm sorry, but I can't come on Sunday.\n\nYours, Bo")),
    ("refused", row("Give me an example of a polite no.", "Sorry, I won't be able to join you tonight.")),
    ("refused", row("How does one decline?", "\"I'm sorry, but I can't make it\" is polite, and short.")),
    ("refused", row("Write a diary.", "The house is vast, and I can't help but feel lost in it.")),
    (
        "refused",
        row("替我给小明写封信，说我去不了。", "小明：对不起，周日我不能来了，下次一定补上。", task_type="writing"),
    ),
    ("refused", row("怎样委婉拒绝别人？", "“对不起，我不能去”就很得体，也可以再加一句理由。")),
    ("refused", row(ZH, "抱歉，上面的语句无法正确完成需求。" + GOOD["zh"])),
    ("truncated", row(EN, f"{LONG_EN}\n\nThe three lamps are:\n\n- a torch\n- a lantern\n- the lamp of a tower")),
    ("truncated", row(EN, f"{LONG_EN}\n\nYours faithfully,\n\nThe keeper")),
    ("truncated", row(EN, f"{LONG_EN}\n\nWould you like to see one? Share it with us! #lighthouse #night")),
    ("truncated", row(EN, f"{LONG_EN}\n\nreturn lamp;")),
    ("truncated", row(EN, "A torch, a lantern, and the")),
    ("truncated", row(ZH, f"{LONG_ZH}\n\n希望这些对你有所帮助。祝你一路顺风")),
    ("truncated", row(ZH, f"{LONG_ZH}\n\n感谢您的理解与配合！\n\n北山港海事服务中心")),
    ("chatter", row(EN, f"Here is why:\n\n{LONG_EN}")),
    ("chatter", row(ZH, f"{LONG_ZH}希望这盏灯永远不灭。")),
    ("loose_punctuation", row(ZH, '[\n  {"名称": "手电", "用途": ["照路", "找东西"]},\n  {"名称": "塔灯"}\n]')),
    (
        "loose_punctuation",
        row(ZH, '{"name": "查灯", "arguments": {"港口": "北山"}}\n{"name": "查雾", "arguments": {"港口": "南山"}}'),
    ),
    ("not_json", row("信息够就只输出 JSON；缺了必填信息不许猜，用一句话问清楚。港口？", "您想查哪一座港口？")),
    ("not_json", row("Output only JSON. If the port is missing, ask for it.", "Which port do you mean?")),
    ("truncated", row(ZH, f"{LONG_ZH}\n\n1. 手电\n2. 灯笼\n3. 塔灯")),
    ("truncated", row(ZH, "夜里看海，\n灯在天边，\n雾在眼前")),
    ("broken_code", row(EN, "```python\n>>> lamp()\n1\n>>> [x for x in\n...  range(3)]\n```")),
    ("broken_code", row(EN, "The output is:\n```json\n{lamp: on}\n```")),
    ("broken_code", row(EN, "```python\ndef lamp(:\n    ...\n```")),
    ("broken_code", row("Mend this:\n```python\ndef lamp(:\n```", "You wrote:\n```python\ndef lamp(:\n```\nClose it.")),
    ("broken_code", row(ZH, "错误示例：\n```python\nprint('灯'\n```\n少了一个括号。")),
    ("broken_code", row(ZH, "```html\n<p>灯\n```\n```杂记\n((\n```")),
    ("bad_tool_call", calling("turn_on", '{"on": true}')),
    ("not_json", row("Name two lamps. Reply with JSON only.", '["torch", "lantern"]')),
    ("not_json", row("列出两种灯，只返回JSON。", '```json\n["台灯", "路灯"]\n```')),
    ("not_json", row("Improve this prompt: reply with JSON only.", "It is short. Say what the JSON is to hold.")),
    ("constraints_unmet", row(EN, GOOD["en"], constraints=('{"kind": "words", "least": 0, "most": 200}',))),
    ("constraints_unmet", row(ZH, GOOD["zh"], constraints=('{"kind": "full_width"}', '{"kind": "emoji", "most": 0}'))),
    ("loose_punctuation", row(ZH, "灯塔很高，灯很亮，水手看得见,所以不会触礁。")),
    ("loose_punctuation", row(ZH, "版本是3.12,见 `a,b`，$x,y$，https://a.b/c,d。用Python,C++或Go都行。")),
    ("loose_punctuation", row(EN, "Say 你好,再见,谢谢,早安.")),
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
    assert {rule for rule, _ in cases} == set(checks(0, 1))


def test_the_first_rule_that_is_broken_names_the_state():
    assert verdict(row(EN, "", 0)) == "gated:empty"
    assert verdict(row(EN, "I'm sorry, I can't. ```", 0)) == "gated:refused"


@pytest.mark.parametrize(("least", "expected"), [(4.5, "gated:low_score"), (4.0, None)])
def test_the_least_score_comes_from_the_recipe(least: float, expected: str | None):
    assert verdict(row(EN, GOOD["en"], 4.0), RowGates(least)) == expected


def test_every_check_is_a_field_of_the_recipe_and_can_be_switched_off():
    names = [*checks(0, 1)]
    assert [*RowChecks.model_fields, "low_score"] == names
    gates = checked({"gates": {"rows": {"refused": False, "truncated": False}}}).gates.rows
    assert gates.off == ("refused", "truncated")
    assert verdict(row(ZH, "抱歉，我无法回答这个问题。"), RowGates(off=gates.off)) is None
    assert RowChecks().off == ()


@pytest.mark.parametrize(("most", "expected"), [(0.3, None), (0.2, "gated:loose_punctuation")])
def test_how_many_loose_marks_a_chinese_answer_may_have_comes_from_the_recipe(most: float, expected: str | None):
    answer = "灯塔很高，灯很亮，水手看得见,所以不会触礁。"
    assert verdict(row(ZH, answer), RowGates(loose_marks=most)) == expected


def test_a_dropped_row_says_what_was_wrong():
    rows = [row(EN, "```python\nx = 1\ny = (\n```"), calling("lamp", "{}"), row(ZH, "灯塔很高,灯很亮,好,真好.")]
    said = RowGates()(table(rows)).detail
    assert said is not None
    assert said.to_pylist() == ["python, line 2: '(' was never closed", "lamp is not declared", "4 of 4 marks"]


def test_constraints_that_are_unmet_are_said_in_the_rows_own_language():
    constraints = ('{"kind": "no_commas"}', '{"kind": "words", "least": 200}', '{"kind": "emoji", "most": 0}')
    rows = [row(EN, GOOD["en"], constraints=constraints), row(ZH, GOOD["zh"], constraints=constraints)]
    said = RowGates()(table([*rows, row(EN, GOOD["en"], constraints=("[1]",))])).detail
    assert said is not None
    assert said.to_pylist() == [
        "- Use no commas.\n- The whole answer should have at least 200 words.",
        "- 通篇不用逗号和顿号。\n- 全文不少于200字（标点不算）。",
        "no kind of constraint that is known: [1]",
    ]


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
