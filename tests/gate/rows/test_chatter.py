"""Chatter around an answer: what is found, what is not, and what becomes of the row."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.gate.rows import RowGates
from tasks.gate.rows.chatter import TAG, chatter
from tasks.gate.rows.row import Row
from tasks.recipe import RecipeError, checked
from tasks.schema import table
from tests.rows import HOSTILE, answered, ask

ASKED = {"en": "Explain how a lighthouse helps ships at night.", "zh": "请解释灯塔在夜里怎样帮助船只。"}
SAID = {
    "en": "A lighthouse shows sailors where the coast is. Its lamp turns, and each tower has a rhythm of its own. "
    "Sailors count the seconds between two flashes and find the tower on their chart.",
    "zh": "灯塔让水手知道海岸在哪里。灯不停转动，每座灯塔都有自己的节奏，水手数着两次闪光之间的秒数，在海图上找到它。",
}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])
BEFORE = [
    ("en", "Sure! Here is the explanation:\n\n"),
    ("en", "Certainly, here's how a lighthouse helps ships at night.\n\n"),
    ("en", "Of course! I'd be happy to help.\n"),
    ("en", "I would be happy to explain that!\n\n"),
    ("zh", "好的，以下是关于灯塔的解释：\n\n"),
    ("zh", "当然可以！下面是一段简单的说明。\n\n"),
    ("zh", "没问题。\n\n"),
    ("zh", "很高兴为您解答！\n"),
    ("zh", "沒問題，以下是關於燈塔的解釋：\n\n"),
]
AFTER = [
    ("en", "\n\nI hope this helps!"),
    ("en", " Let me know if you have any other questions."),
    ("en", "\n\nIf you need anything else, feel free to ask!"),
    ("zh", "\n\n希望对你有帮助！"),
    ("zh", "希望以上内容能帮到您。"),
    ("zh", "\n如果您还有其他问题，请随时告诉我。"),
    ("zh", "\n如果您還有其他問題，請隨時告訴我。"),
]
NONE = [
    ("en", "Here are three ways:\n\n{}"),  # a sentence of the answer
    ("en", "Sure enough, the lamp turns.\n\n{}"),
    ("en", "Of course it does, and this is how:\n\n{}"),
    ("en", "{} Please let me know which port you mean."),
    ("en", "{} Let me know if you can give the name of the port."),
    ("en", "{} I hope this lamp never goes out."),
    ("zh", "以下有三种办法：\n\n{}"),
    ("zh", "好的灯塔有三个特点：\n\n{}"),
    ("zh", "当然，灯塔也有用不上的时候。\n\n{}"),
    ("zh", "{}希望这盏灯永远不灭。"),
    ("zh", "{}请告诉我您问的是哪座港口。"),
    ("zh", "{}我希望在大家的帮助下学得更好。"),
]


def row(language: str, said: str, asked: str = "") -> Row:
    return Row("", asked or ASKED[language], said, language, "", 5.0)


@pytest.mark.parametrize(("language", "phrase"), BEFORE)
def test_a_first_line_that_only_announces_is_chatter(language: str, phrase: str) -> None:
    assert chatter(row(language, phrase + SAID[language])) == phrase.strip()


@pytest.mark.parametrize(("language", "phrase"), AFTER)
def test_a_last_sentence_that_only_takes_leave_is_chatter(language: str, phrase: str) -> None:
    assert chatter(row(language, SAID[language] + phrase)) == phrase.strip()


@pytest.mark.parametrize(("language", "frame"), [*NONE, ("en", "{}"), ("zh", "{}")])
def test_what_is_part_of_the_answer_is_none(language: str, frame: str) -> None:
    assert chatter(row(language, frame.format(SAID[language]))) == ""


@pytest.mark.parametrize(
    ("language", "asked", "end"),
    [
        ("en", "Write a letter about lighthouses to my class.", " Let me know if you have any questions."),
        ("zh", "替我给全班写一封讲灯塔的信。", "如果你还有其他问题，请随时告诉我。"),
    ],
)
def test_a_letter_that_was_asked_for_may_end_so(language: str, asked: str, end: str) -> None:
    assert chatter(row(language, SAID[language] + end, asked)) == ""


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "You are welcome! Let me know if you need anything else."), ("zh", "好的。\n\n开始吧。")],
)
def test_small_talk_is_none(language: str, said: str) -> None:
    assert chatter(row(language, said)) == ""


@LANGUAGES
@pytest.mark.parametrize("how", ["keep", "tag", "drop"])
def test_the_recipe_says_whether_such_rows_are_kept_tagged_or_dropped_and_none_is_altered(
    how: Any, language: str
) -> None:
    end = {"en": " I hope this helps!", "zh": "希望对你有帮助！"}[language]
    plain = replace(answered(ask(ASKED[language]), SAID[language]), tags=("kept",))
    rows = [plain, plain.answering(SAID[language] + end)]
    gates = checked({"gates": {"rows": {"chatter": how}}}).gates.rows
    done = RowGates(off=gates.off, chatter=gates.chatter)(table(rows))
    assert done.reason.to_pylist() == [None, "gated:chatter" if how == "drop" else None]
    assert done.table.column("tags").to_pylist() == [["kept"], ["kept", TAG] if how == "tag" else ["kept"]]
    assert dict(done.noted) == ({"tagged_chatter": 1} if how == "tag" else {})
    assert done.table.drop_columns(["tags"]) == table(rows).drop_columns(["tags"])


@LANGUAGES
def test_a_row_that_is_dropped_for_something_else_is_not_counted_as_chatter(language: str) -> None:
    low = answered(ask(ASKED[language]), BEFORE[0 if language == "en" else 4][1] + SAID[language], 1.0)
    done = RowGates()(table([low]))
    assert (done.reason.to_pylist(), dict(done.noted)) == (["gated:low_score"], {"tagged_chatter": 0})


def test_what_the_recipe_cannot_mean_is_refused() -> None:
    with pytest.raises(RecipeError, match="chatter"):
        checked({"gates": {"rows": {"chatter": "trim"}}})


@LANGUAGES
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_read_as_texts(text: str, language: str) -> None:
    assert chatter(row(language, text)) == ""
    assert chatter(row(language, SAID[language] + text)) == ""
