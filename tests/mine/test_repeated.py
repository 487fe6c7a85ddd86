"""What one user repeats and many paste, day by day."""

from __future__ import annotations

from collections import Counter
from random import Random

from tasks.mine.repeated import Repeated
from tasks.record import Record
from tasks.schema import table
from tests.rows import ask, said

DAY = 24 * 60
CROWD = [ask(f"{said(Random(i), 12)} {i}", i, user=f"u{i}") for i in range(30)]


def flood(count: int, first: int = 100, user: str = "robot", text: str = "") -> list[Record]:
    """Many asks of one user, each about something else."""
    return [ask(text + said(Random(n), 30), n, user=user) for n in range(first, first + count)]


def fallen(step: Repeated, *rows: Record) -> Counter[str]:
    folded = step(table(rows))
    assert folded.table.num_rows + len(folded.dropped) == len(rows)
    return Counter(f"{rows[i].user}: {drop.reason}" for i, drop in folded.dropped)


def test_a_user_may_ask_so_many_a_day_and_no_more_than_the_share() -> None:
    rows = [*CROWD, *flood(40)]
    assert fallen(Repeated(user_rows=25), *rows) == {"robot: user_repeats": 15}
    assert fallen(Repeated(user_rows=5, user_share=0.5), *rows) == {"robot: user_repeats": 5}
    assert fallen(Repeated(user_rows=40), *rows) == {}


def test_asks_that_begin_or_end_alike_are_capped_in_both_languages() -> None:
    english = flood(8, text="Classify the sentiment of the review below as positive, neutral or negative: ")
    chinese = flood(8, 200, "机器", "请判断下面这条评论的情感是正面的、中性的还是负面的，只回答一个词：")
    tail = [
        ask(f"{said(Random(n), 30)}\n请用一句话概括上面这段文字的主要内容，不要超过二十个字。谢谢", n, user="尾")
        for n in range(300, 308)
    ]
    found = fallen(Repeated(alike=5), *CROWD, *english, *chinese, *tail)
    assert found == {"robot: user_repeats": 3, "机器: user_repeats": 3, "尾: user_repeats": 3}


def test_the_first_of_a_day_stay_in_whatever_order_rows_come() -> None:
    rows = [*CROWD, *flood(20)]
    there, back = (Repeated(user_rows=10)(table(r)).table.slice() for r in (rows, rows[::-1]))
    assert sorted(there.column("roots").to_pylist()) == sorted(back.column("roots").to_pylist())
    assert max(there.column("asked_at").to_pylist()) == rows[39].asked_at


def test_a_run_for_each_day_comes_to_what_one_run_over_all_comes_to() -> None:
    days = [
        [*(ask(r.instruction, i + d * DAY, user=r.user) for i, r in enumerate(CROWD)), *flood(15, 100 + d * DAY)]
        for d in range(3)
    ]
    step = Repeated(user_rows=10)
    each = sum((fallen(step, *day) for day in days), Counter[str]())
    assert fallen(step, *(row for day in days for row in day)) == each == {"robot: user_repeats": 15}


def test_a_log_of_few_users_or_of_none_is_left_alone() -> None:
    assert fallen(Repeated(user_rows=2, alike=2), *flood(40)) == {}
    assert fallen(Repeated(user_rows=2), *CROWD, *flood(40, user="")) == {}


def test_a_row_of_lines_that_many_paste_is_boilerplate_and_one_that_asks_more_is_not() -> None:
    footer = "This e-mail and its attachments are confidential.\nIf you are not the addressee, please delete it.\n"
    notice = "本网站使用必要的缓存文件来改善您的浏览体验，请您知悉。\n继续浏览即表示您同意我们的隐私政策与服务条款。\n"
    pasted = [ask(f"{text}{n}", n, user=f"p{n}") for text, n in zip([footer, notice] * 6, range(50, 62), strict=True)]
    asks = [ask(f"{footer}{said(Random(n), 40)}", n, user=f"q{n}") for n in range(70, 76)]
    assert sum(fallen(Repeated(), *CROWD, *pasted, *asks).values()) == 12
    assert set(fallen(Repeated(), *CROWD, *pasted[:8], *asks[:0])) == set()


def test_a_question_of_one_line_is_no_boilerplate_however_many_ask_it() -> None:
    same = [ask("What is the capital of Australia, please?", n, user=f"s{n}") for n in range(50, 60)]
    assert fallen(Repeated(), *CROWD, *same) == {}


def test_no_rows_are_no_trouble() -> None:
    assert Repeated()(table([])).table.num_rows == 0
