"""Which prompts are worth an answer."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.mine.worth import READY, Worth, chosen
from tasks.recipe import Mine, RecipeError
from tasks.record import Record
from tasks.schema import table
from tests.rows import HOSTILE, ask


def reasons(*made: Record, step: Worth | None = None) -> list[str | None]:
    return (step or chosen(Mine()))(table(made)).reason.to_pylist()


@pytest.mark.parametrize(
    "text",
    [
        *("hi", "Hello!!!", "thanks.", "THANK YOU SO MUCH", "What's up?", "What’s up?", "hi hi, hello there", "ok 👍"),
        *(
            "你好",
            "您好！",
            "谢谢谢谢！！",
            "嗯嗯嗯",
            "哈哈哈哈哈",
            "你好 hello",
            "在吗？在不在",
            "好的，谢谢",
            "ｈｅｌｌｏ",
            "测试123",
        ),
    ],
)
def test_a_first_turn_of_greetings_alone_is_dropped(text: str) -> None:
    assert reasons(ask(text)) == ["greeting"]


@pytest.mark.parametrize(
    "text",
    [
        "hi, how do I sort a list?",
        "你好，请问怎么排序",
        "写一首关于谢谢的诗",
        "history of thanks giving",
        "再见用英语怎么说",
        "好人是什么",
        "hitest me with it",
        *HOSTILE,
    ],
)
def test_a_greeting_beside_an_ask_is_no_reason_to_drop(text: str) -> None:
    assert "greeting" not in reasons(ask(text))


@pytest.mark.parametrize(
    ("text", "reason"), [("ok", None), ("好的", None), ("yes", None), ("谢谢", "greeting"), ("thanks!", "greeting")]
)
def test_yes_and_no_say_something_after_a_question(text: str, reason: str | None) -> None:
    before = ("给我讲讲北京的历史吧" if text > "z" else "Tell me about the history of London", "Shall I go on?")
    assert reasons(ask(text, before=before)) == [reason]


def test_a_greeting_that_could_be_cut_in_millions_of_ways_is_decided() -> None:
    """Of a pattern that tries them all, this one ask took minutes."""
    assert reasons(ask("嗯" * 39 + "x"), ask("哈" * 40), ask("嗯" * 40)) == ["gibberish", "greeting", "greeting"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (ask("？？！！"), "no_words"),
        (ask("👍"), "no_words"),
        (ask("²"), "no_words"),
        (ask("12345"), "no_words"),
        (ask("12 * 30 = ?", before=("用中文讲讲北京的历史", "好")), None),
        (ask("12 * 30 = ?"), None),
        (ask("fix it"), "too_short"),
        (ask("排序"), "too_short"),
        (ask("为什么"), None),
        (ask("why is that"), None),
        (ask("why", before=("Water is wet and the sky is blue", "Yes.")), None),
        (ask("为何", before=("水是湿的，天是蓝的", "是")), None),
        (ask("word " * 8001), "too_long"),
        (ask("字" * 8001), "too_long"),
        (ask("说得更详细一点", before=("字" * 8000, "好")), "too_long"),
        (ask("Wie komme ich am schnellsten zum Bahnhof, wenn kein Bus mehr fährt?"), "other_language"),
        (ask("описать картину словами"), "other_language"),
        (ask("看这张图片里有什么", tags=("not_text",)), "not_text"),
        (ask("", tags=("not_text",)), "not_text"),
        (ask(""), "no_words"),
    ],
)
def test_the_first_rule_that_objects_gives_the_reason(record: Record, reason: str | None) -> None:
    assert reasons(record) == [reason]


def test_the_limits_are_those_of_the_recipe() -> None:
    made = ask("说说北京的历史"), ask("Tell me about London")
    assert reasons(*made, step=chosen(Mine(languages=["zh"]))) == [None, "other_language"]
    assert reasons(*made, step=chosen(Mine(min_units=5))) == [None, "too_short"]
    assert reasons(*made, step=chosen(Mine(max_units=5))) == ["too_long", None]


def test_the_language_that_decided_stays_on_every_row() -> None:
    made = [
        ask("说说北京的历史"),
        ask("Tell me about London"),
        ask("¿Cómo puedo aprender a programar yo solo?"),
        ask("why"),
    ]
    sieved = chosen(Mine())(table(made))
    assert sieved.table.column("language").to_pylist() == ["zh", "en", "other", "en"]
    assert sieved.table.schema == table(made).schema


def test_a_short_last_turn_is_in_the_language_of_the_conversation() -> None:
    sieved = chosen(Mine())(table([ask("ok?", before=("用中文讲讲北京的历史", "好"))]))
    assert sieved.table.column("language").to_pylist() == ["zh"]


@pytest.mark.parametrize(
    ("before", "languages", "language"),
    [((), ["zh", "en"], "zh"), ((), ["en"], "en"), (("用中文讲讲北京", "好"), ["en", "zh"], "zh")],
)
def test_a_formula_is_in_the_language_of_its_session_or_the_first_of_the_recipe(
    before: tuple[str, ...], languages: Any, language: str
) -> None:
    sieved = chosen(Mine(languages=languages, rules=["no_words", "greeting", "length"]))(
        table([ask("12 * 30 = ?", before=before)])
    )
    assert sieved.reason.to_pylist() == [None]
    assert sieved.table.column("language").to_pylist() == [language]


def test_rules_run_in_the_order_of_the_recipe_and_no_others() -> None:
    made = [ask("hi"), ask("Wie komme ich am schnellsten zum Bahnhof, wenn kein Bus mehr fährt?")]
    assert reasons(*made, step=chosen(Mine(rules=["length", "greeting"]))) == ["too_short", None]
    assert reasons(*made, step=chosen(Mine(rules=["greeting", "length"]))) == ["greeting", None]
    assert reasons(*made, step=chosen(Mine(rules=[]))) == [None, None]


def test_the_default_rules_are_all_that_there_are() -> None:
    assert Mine().rules == list(READY)


def test_a_typo_in_a_rule_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="there is no rule gibbrish") as fault:
        chosen(Mine(rules=["gibbrish"]))
    assert (fault.value.where, fault.value.hint) == ("mine.rules", "did you mean gibberish")


def test_no_rows_are_no_trouble() -> None:
    assert reasons() == []
