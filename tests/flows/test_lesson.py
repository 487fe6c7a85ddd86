"""What a small model learns from: the same rows are the same lesson, and whatever else is another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flows.lesson import Lesson
from tasks.recipe.small_model import SmallModelAnswers
from tests.rows import answered, ask

ROWS = [
    answered(ask(f"{text} {i}", system="Be short.", input="more"), "yes")
    for i in range(20)
    for text in ("Is it?", "是吗？")
]


def told(*train: str, **more: Any) -> SmallModelAnswers:
    at = {"model": "tiny", "base_url": "http://127.0.0.1:1/v1"}
    return SmallModelAnswers.model_validate({"task_type": "classification", "train": train, "at": at, **more})


def test_rows_in_any_order_are_the_same_lesson(tmp_path: Path) -> None:
    one, other = (Lesson.of(rows, told("train.sh"), tmp_path) for rows in (ROWS, ROWS[::-1]))
    assert one.folder == other.folder
    assert one.digest != Lesson.of(ROWS[1:], told("train.sh"), tmp_path).digest
    assert one.digest != Lesson.of(ROWS, told("train.sh", "--fast"), tmp_path).digest
    assert (len(one.taught), len(one.held_out)) == (36, 4)
    assert len(Lesson.of(ROWS, told("train.sh", holdout=0.25), tmp_path).held_out) == 10


def test_another_training_script_under_the_same_name_is_another_lesson(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    digests = set[str]()
    for text in ("one", "two", "one"):
        script.write_text(text)
        digests.add(Lesson.of(ROWS, told("python", str(script)), tmp_path).digest)
    assert len(digests) == 2


def test_the_files_hold_what_is_asked_and_answered_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    lesson = Lesson.of(ROWS, told("train.sh"), tmp_path)
    lines = {n: Path(lesson.facts[n]).read_text("utf-8").splitlines() for n in ("train", "held_out")}
    assert (len(lines["train"]), len(lines["held_out"])) == (36, 4)
    system, user, assistant = json.loads(lines["train"][0])["messages"]
    assert system == {"role": "system", "content": "Be short."}
    assert user["content"].endswith("\n\nmore")
    assert assistant == {"role": "assistant", "content": "yes", "weight": 1}
    assert lesson.folder.parent.stat().st_mode & 0o777 == 0o700


def test_what_came_to_its_end_is_known_and_older_models_make_room(tmp_path: Path) -> None:
    old, new = (Lesson.of(rows, told("train.sh"), tmp_path) for rows in (ROWS[1:], ROWS))
    assert new.learnt is None
    new.end({"teacher_follows_percent": 70})
    assert Lesson.of(ROWS, told("train.sh"), tmp_path).learnt == {"teacher_follows_percent": 70}
    assert not old.folder.exists()
